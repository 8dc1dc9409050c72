"""From a data set to a bundle: fit, gate, limits, card."""
