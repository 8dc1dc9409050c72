"""Checks of prepared pairs: each is pure and returns doubts."""
