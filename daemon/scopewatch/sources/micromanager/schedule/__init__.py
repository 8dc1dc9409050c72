"""When each image of a time-lapse is due: the plan, how it changes, and where it is kept."""
