"""What file names and folders of programs and instruments mean."""
