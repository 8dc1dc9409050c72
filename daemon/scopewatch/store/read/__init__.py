"""Queries: plain values for the dashboard, `status`, exports and the rules."""
