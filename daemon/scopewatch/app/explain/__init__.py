"""How files would be read: which frame each is, and the origin of each fact."""
