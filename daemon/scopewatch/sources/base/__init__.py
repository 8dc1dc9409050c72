"""Code shared by all kinds of sources: facts and trust, keys, offering, threads."""
