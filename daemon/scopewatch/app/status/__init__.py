"""The state of the monitoring for `scopewatch status`."""
