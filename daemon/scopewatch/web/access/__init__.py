"""Who reaches the dashboard: its port, login, sessions, and the guard against foreign pages."""
