"""Which wells or frames to stain next: doubt, disagreement, unlikeness, and a diverse choice."""
