"""Checks before the daemon runs."""
