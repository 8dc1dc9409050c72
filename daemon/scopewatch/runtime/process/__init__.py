"""The daemon as a process: its lock, logs, metrics, memory, and its systemd notices."""
