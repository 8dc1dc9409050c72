"""`scopewatch-train`: its commands and what they print."""
