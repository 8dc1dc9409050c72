"""The network: its family, its training, its quantisation, the search for settings."""
