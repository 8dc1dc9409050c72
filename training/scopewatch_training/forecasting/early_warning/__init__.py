"""The early-warning study: recorded runs are replayed through the rules of the daemon."""
