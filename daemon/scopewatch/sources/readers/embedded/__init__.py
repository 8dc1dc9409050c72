"""Proprietary metadata that instrument programs write into their image files."""
