"""`scopewatch rescore`: a new model over an archive, its versions side by side."""
