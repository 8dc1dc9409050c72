"""Networks: architecture, training, quantisation, and the search for settings."""
