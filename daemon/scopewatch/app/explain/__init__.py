"""How files would be read: which frame each is, and who says so."""
