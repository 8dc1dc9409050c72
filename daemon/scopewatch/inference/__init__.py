"""The model bundle, and the only owner of the interpreter."""
