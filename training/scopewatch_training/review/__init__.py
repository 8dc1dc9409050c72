"""Review of labels in a small local page: pairs and tiles accepted, corrected or dropped."""
