"""Copies of pictures elsewhere: made and removed in the background, whatever the network does."""
