"""What keeps the daemon working: supervisor, sources, schedule, heartbeats."""
