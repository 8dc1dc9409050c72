"""The simulated differentiation, and the demo that monitors one live."""
