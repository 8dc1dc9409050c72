"""Arithmetic on planes of pixels, whatever they show."""
