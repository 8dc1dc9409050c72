"""A simulated differentiation with known truth; see `simulation` and `simulate`."""
