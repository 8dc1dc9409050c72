"""Readers of image files: their planes, metadata and pixels."""
