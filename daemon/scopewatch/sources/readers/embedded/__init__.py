"""What programs of instruments write into their image files in forms of their own."""
