"""One module for each instrument or program: its layout, and its side files."""
