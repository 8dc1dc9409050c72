"""Frames from image files that appear in a folder."""
