"""Image files of all kinds: their planes, metadata and pixels."""
