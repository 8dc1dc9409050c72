"""Copies of pictures in object stores and on servers: what is due, and the place itself."""
