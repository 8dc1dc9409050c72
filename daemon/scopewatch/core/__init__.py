"""The pure core: no file, clock, network or randomness enters except as an argument."""
