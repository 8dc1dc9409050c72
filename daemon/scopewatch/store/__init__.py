"""What scopewatch remembers: the result database and the pictures beside it."""
