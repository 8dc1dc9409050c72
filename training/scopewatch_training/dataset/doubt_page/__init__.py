"""The page of doubts: what `prepare` found doubtful, with pictures of each doubtful pair."""
