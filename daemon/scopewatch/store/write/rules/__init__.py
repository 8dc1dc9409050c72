"""Where alert rules stand and what follows from their steps, in one transaction."""
