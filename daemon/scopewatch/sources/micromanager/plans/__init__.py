"""Plans of positions, channels and times that were made elsewhere, and plates."""
