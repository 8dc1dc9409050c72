"""The states and the memory of alert rules, and the outlooks of wells, written."""
