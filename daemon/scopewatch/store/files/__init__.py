"""Files beside the database: pictures, packed arrays, and writing without half files."""
