"""A simulated differentiation with known truth; see `experiment` and `simulate`."""
