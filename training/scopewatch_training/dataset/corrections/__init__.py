"""Corrections of a data set by people: the record, its file, and what it does to a signal."""
