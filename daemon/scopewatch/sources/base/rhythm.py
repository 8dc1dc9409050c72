"""Decides when to look at growing data sets: often after a start, not at all during a burst.

    resting --a glance shows a change--> begun: looks every 0.2 s --images, then none--> busy
       ^                                   |                                              |
       |                                   '--a burst--> glances alone --no change--> look|
       '--------------------------------- a look without images --------------------------'

A look checks every data set and reads what is new; a glance reads the times and sizes of a few
files. So a burst is detected within a fraction of `poll_s`, and its images are read after it.
Where files show no growth before they are closed, as on some shares, looks go on during bursts.
"""

from collections.abc import Callable, Hashable
from typing import Final

from scopewatch.core.source import Arrivals

# In a burst, the time between two images is shorter than this.
_BURST_GLANCE_S: Final = 0.5
# Time between looks while the rate of new images is unknown, and how long that may last: the
# folder of a data set exists before its files.
_COUNT_S: Final = 0.2
_BEGIN_S: Final = 2.0
# A change that brought no image is not taken for a start again until there was no change for this
# long: files may grow although their images are listed only at the end.
_BARREN_S: Final = 60.0
_GLANCES: Final = 10
_SHORTEST_S: Final = 0.1


class Rhythm:
    """Schedule of the looks of one source. Not thread-safe, except `tick_s`.

    Parameters
    ----------
    glance
        Returns what changes when a data set begins or grows; must be quick, and must not raise.
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
        # Time of a start whose rate is not known yet, and whether images came since.
        self._begun_s: float | None = None
        self._came = False
        self._quiet_s = float("-inf")
        self._resting = True
        # Time of the last change that brought no image; None where there was none.
        self._barren_s: float | None = None

    def tick_s(self) -> float:
        """Return how long to sleep before calling `due` again; thread-safe."""
        return max(self._tick_s, _BURST_GLANCE_S) if self.spares() else self._tick_s

    def spares(self) -> bool:
        """Return whether a burst is going on, so that deferrable work waits."""
        return self._arrivals.bursting(self._name)

    @property
    def counting(self) -> bool:
        """Whether something began whose rate is not known yet."""
        return self._begun_s is not None

    def due(self, now_s: float) -> bool:
        """Return whether to look now."""
        if self.spares():
            if not self._changed():
                return True
            self._arrivals.still_growing(self._name)
            return False
        # A tick may come a little early: half a tick counts as on time.
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
        """Note the beginning of a look: later changes belong to the next one."""
        if self._looked_s is not None:
            self._over_s = now_s - max(self._looked_s, self._quiet_s)
            if self._changed() and self._resting and self._begun_s is None:
                self._note_change(now_s)
        self._looked_s = now_s

    def looked(self, images: int) -> None:
        """Report how many images a look found that were saved since the previous one."""
        if self._looked_s is None or self._over_s is None:
            self._changed()
            return
        self._arrivals.images_saved(self._name, images, self._over_s)
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
            self._arrivals.write_started(self._name)

    def _note_change(self, now_s: float) -> None:
        """Note a change after a rest: a start, unless such changes bring no images."""
        if self._barren_s is not None and now_s - self._barren_s < _BARREN_S:
            self._barren_s = now_s
            return
        self._barren_s = None
        self._begun_s, self._came = now_s, False
        self._arrivals.write_started(self._name)

    def _changed(self) -> bool:
        before, self._seen = self._seen, self._glance()
        return self._seen != before
