"""Small z-stacks of a time-lapse: their planes, and the focus that follows the sharpest ones."""
