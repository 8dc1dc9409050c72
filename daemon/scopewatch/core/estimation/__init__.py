"""From efficiencies of time points to estimates and forecasts, and their validation."""
