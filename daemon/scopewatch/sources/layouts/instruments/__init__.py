"""One module for each instrument or program: its layout, and the files beside its images."""
