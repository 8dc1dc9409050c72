"""What keeps the daemon going: inbox, worker, schedule, supervisor, heartbeats, metrics, logs."""
