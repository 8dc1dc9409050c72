"""What every kind of source shares: addresses, offering, threads."""
