"""A pair: its record, and how two pictures become its view and signal."""
