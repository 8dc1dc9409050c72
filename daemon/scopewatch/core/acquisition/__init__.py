"""A time-lapse that scopewatch acquires: orders to it, its journal and its state."""
