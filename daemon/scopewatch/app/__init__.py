"""What plugs the layers together: the daemon, scoring without it, and checking before it runs."""
