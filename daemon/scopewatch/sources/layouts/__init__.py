"""Meaning of the file names and folders of programs and instruments."""
