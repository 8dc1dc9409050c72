"""Z-stacks of which the sharpest plane is scored: collected, and read."""
