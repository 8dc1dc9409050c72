"""Damaged and hostile input for the parsers: seeds, what is done to them, and who reads them."""
