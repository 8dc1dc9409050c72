"""What the worker, the monitor and delivery write to the database."""
