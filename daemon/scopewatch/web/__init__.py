"""The dashboard: what the operator sees, and what other programs may read."""
