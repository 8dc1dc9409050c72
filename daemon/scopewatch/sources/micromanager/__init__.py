"""Frames from a microscope run by Micro-Manager."""
