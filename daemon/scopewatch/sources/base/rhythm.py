"""When growing data sets are looked at: often when something begins, not at all during a burst.

    resting --a glance shows a change--> begun: looks every 0.2 s --images, then none--> busy
       ^                                   |                                              |
       |                                   '--a burst--> glances alone --no change--> look|
       '--------------------------------- a look without images --------------------------'

A look asks every data set and reads what is new of each image; a glance asks the file system for
the times and sizes of a few files. So a burst is noticed within a fraction of `poll_s`, and what
it saved is read when it is over. Where files do not show that they grow before they are closed, as
on some shares, there are looks all along.
"""

from collections.abc import Callable, Hashable
from typing import Final

from scopewatch.core.source import Arrivals

# Images of a burst come faster than one in so long.
_BURST_GLANCE_S: Final = 0.5
# Between looks while it is not known yet what began, and how long that may take: the folder of a
# data set is there before its files.
_COUNT_S: Final = 0.2
_BEGIN_S: Final = 2.0
# Changes that brought no image are no beginning, until there were none for so long: files may
# grow whose images are named at the end.
_BARREN_S: Final = 60.0
_GLANCES: Final = 10
_SHORTEST_S: Final = 0.1


class Rhythm:
    """The looks of one source. Not thread-safe: the source holds its lock; save for `tick_s`.

    Parameters
    ----------
    glance
        What changes when a data set begins or grows; must be quick, and must not raise.
    """

    def __init__(
        self, name: str, poll_s: float, arrivals: Arrivals, glance: Callable[[], Hashable]
    ) -> None:
        self._name = name
        self._poll_s = poll_s
        self._tick_s = min(poll_s, max(_SHORTEST_S, poll_s / _GLANCES))
        self._arrivals = arrivals
        self._glance = glance
        self._seen: Hashable = None
        self._looked_s: float | None = None
        self._over_s: float | None = None
        # Since when something began of which the rate is not known yet, and whether images came.
        self._begun_s: float | None = None
        self._came = False
        self._quiet_s = float("-inf")
        self._resting = True
        # The last of the changes that bring no images; None where none are known.
        self._barren_s: float | None = None

    def tick_s(self) -> float:
        """Return how long to sleep before asking `due` again; any thread may ask."""
        return max(self._tick_s, _BURST_GLANCE_S) if self.spares() else self._tick_s

    def spares(self) -> bool:
        """Whether a burst is going on: what need not be done now is done after it."""
        return self._arrivals.bursting(self._name)

    @property
    def counting(self) -> bool:
        """Whether something began of which the rate is not known yet."""
        return self._begun_s is not None

    def due(self, now_s: float) -> bool:
        """Whether to look now."""
        if self.spares():
            if not self._changed():
                return True
            self._arrivals.goes_on(self._name)
            return False
        # A tick may come a little early: half of one is as good as on time.
        slack_s = self._tick_s / 2
        if self._looked_s is None or now_s - self._looked_s >= self._poll_s - slack_s:
            return True
        if self._begun_s is not None:
            return now_s - max(self._begun_s, self._looked_s) >= _COUNT_S - slack_s
        if self._resting and self._changed():
            self._note_change(now_s)
        elif self._resting:
            self._quiet_s = now_s
        return False

    def begin_look(self, now_s: float) -> None:
        """Note the beginning of a look: what changes from here on is for the next."""
        if self._looked_s is not None:
            self._over_s = now_s - max(self._looked_s, self._quiet_s)
            if self._changed() and self._resting and self._begun_s is None:
                self._note_change(now_s)
        self._looked_s = now_s

    def looked(self, images: int) -> None:
        """Tell of the images that a look found to be saved since the one before."""
        if self._looked_s is None or self._over_s is None:
            self._changed()
            return
        self._arrivals.came(self._name, images, self._over_s)
        self._resting = images == 0
        if images:
            self._barren_s = None
        if self._begun_s is None:
            return
        known = self._came and not images
        self._came = self._came or images > 0
        if known or self._looked_s - self._begun_s >= _BEGIN_S:
            self._begun_s = None
            if not self._came:
                self._barren_s = self._looked_s
        elif not self._came:
            self._arrivals.begins(self._name)

    def _note_change(self, now_s: float) -> None:
        """Note a change after a rest: something begins, unless such changes bring no images."""
        if self._barren_s is not None and now_s - self._barren_s < _BARREN_S:
            self._barren_s = now_s
            return
        self._barren_s = None
        self._begun_s, self._came = now_s, False
        self._arrivals.begins(self._name)

    def _changed(self) -> bool:
        before, self._seen = self._seen, self._glance()
        return self._seen != before
