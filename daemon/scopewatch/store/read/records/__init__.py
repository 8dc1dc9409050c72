"""What queries of the database return: plain values, no rows."""
