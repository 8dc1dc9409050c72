"""Tables that people make and paths that they write in them."""
