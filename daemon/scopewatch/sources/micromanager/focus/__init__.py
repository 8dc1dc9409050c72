"""The focus of a time-lapse: where it is looked for, within which bounds, what was found."""
