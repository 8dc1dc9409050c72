"""Runs the daemon: inbox, worker, schedule, supervisor, heartbeats, metrics, logs."""
