"""inference: the model bundle and the one owner of the interpreter."""
