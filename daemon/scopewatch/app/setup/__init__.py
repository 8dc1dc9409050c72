"""`scopewatch init`: a configuration from the files that are there."""
