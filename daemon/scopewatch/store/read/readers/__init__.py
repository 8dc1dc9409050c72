"""Reading the result database by subject; `store.read.reader.Reader` is all of them."""
