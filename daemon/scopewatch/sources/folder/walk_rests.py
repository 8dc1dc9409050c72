"""Spaces the walks of a large folder, so that they take little of a processor."""

from typing import Final

# Walks that take less are not spaced: they are of up to some ten thousand files.
_CHEAP_S: Final = 0.1
# Share of a processor that walks take at most, and the longest rest between two of them in seconds.
_SHARE: Final = (1 / 200, 300.0)
_POLLING_SHARE: Final = (1 / 20, 60.0)


class WalkRests:
    """Says when a folder may be walked again.

    Events report new files at once, and a walk finds only what they missed. Where a folder is
    polled, walks alone find new files, and may take more.
    """

    def __init__(self) -> None:
        self._over_s = 0.0

    def note(self, took_s: float, now_s: float, *, polling: bool) -> None:
        """Note the end of a walk that took `took_s` of a processor."""
        share, longest_s = _POLLING_SHARE if polling else _SHARE
        rest_s = min(longest_s, took_s / share) if took_s >= _CHEAP_S else 0.0
        self._over_s = now_s + rest_s

    def over(self, now_s: float) -> bool:
        """Return whether the folder may be walked."""
        return now_s >= self._over_s

    def end(self) -> None:
        """End a rest early."""
        self._over_s = 0.0
