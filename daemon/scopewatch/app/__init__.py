"""Connects the layers: the daemon, scoring without it, and checks before it runs."""
