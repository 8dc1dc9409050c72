"""Results on a server that daemons share: where they are, moved there, and shown together."""
