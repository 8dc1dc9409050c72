"""Results of archives: databases of their own, beside none of a daemon."""
