"""`scopewatch score`: frames on disk, listed and scored without a daemon."""
