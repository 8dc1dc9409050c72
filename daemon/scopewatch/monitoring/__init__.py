"""What follows from what is known of a run: pure, imports the core alone."""
