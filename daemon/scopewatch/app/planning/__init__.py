"""Plans of acquisitions: what they take, shown before and while they go on."""
