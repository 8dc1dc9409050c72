"""Acts of a time-lapse on what is known of its wells."""
