"""The database itself: connections, tables and migrations."""
