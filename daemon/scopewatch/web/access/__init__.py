"""Who may see the dashboard: login, sessions, and the guard against foreign pages."""
