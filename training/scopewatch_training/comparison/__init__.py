"""Two bundles on the same held-out wells: paired differences, pictures, one conclusion."""
