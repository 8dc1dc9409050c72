"""Frames and what is measured on them: tiles, quality, labels, the virtual stain."""
