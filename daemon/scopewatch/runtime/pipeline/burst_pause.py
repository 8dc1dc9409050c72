"""Decides whether scoring waits because a microscope is saving a burst of images.

    resting --images come faster than `per_s`--> waiting --no more images--> resting
                                                    '--waited for `wait_s`--> overdue:
                                            frames are scored during the burst, until it ends

A time-lapse saves a time point as fast as it can and then rests for hours. Scoring during the burst
takes processor and disk from the program that saves the images; a warning that is needed within
hours loses nothing by some seconds. Images of a stage that moves between wells are no burst.

Where something begins to be written, no frame is taken up for a moment, until its rate is known.
"""

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger

log = get_logger(__name__)

# Images count for so long: one z-stack is a burst, the two channels of a well are none.
WINDOW_S = 2.0
# How long scoring waits when something begins to be written, unless its rate is known before.
MOMENT_S = 1.0
# How soon the end of a burst is noticed.
STEP_S = 0.25
# A source that looks seldom reports a longer span, but not what happens now.
_LONGEST_S = 6.0
# A report of no image within so long ends a burst.
_NONE_S = 0.4
# Images reported one by one are counted together for so long, which bounds the memory.
_TOGETHER_S = 0.05
# Less than this is not worth a wait.
_LEAST_S = 1e-3


class _State(Enum):
    RESTING = auto()
    WAITING = auto()
    OVERDUE = auto()


@dataclass(slots=True, kw_only=True)
class _Arrival:
    """A report that so many images were saved within `over_s` before `at_s`."""

    at_s: float
    images: int
    over_s: float

    @property
    def until_s(self) -> float:
        """Until when it counts: a source that looks seldom gets the time to look again."""
        return self.at_s + min(max(WINDOW_S, 1.5 * self.over_s), _LONGEST_S)


class Bursts:
    """Makes scoring wait while sources save images; implements `core.source.Arrivals`.

    Sources may call it from any thread; `hold_s` is the worker's alone.

    Parameters
    ----------
    per_s
        From how many images a second of one source on they are a burst.
    wait_s
        How long scoring waits at a stretch, at most; 0 never waits. Time spent waiting is made up
        for by as much time to work before it waits that long again, so that bursts that follow
        each other closely leave at least half of the time.
    """

    def __init__(self, clock: Clock, *, per_s: float, wait_s: float) -> None:
        self._clock = clock
        self._per_s = per_s
        self._most_s = wait_s
        self._lock = threading.Lock()
        self._arrivals: dict[str, deque[_Arrival]] = {}
        self._begun_s: dict[str, float] = {}
        self._state = _State.RESTING
        # How long it may wait yet, as of the last call of `hold_s`, and whether it waits since.
        self._left_s = wait_s
        self._asked_s = self._since_s = clock.monotonic()
        self._held = False

    def write_started(self, source: str) -> None:
        """Note that something is being written, of unknown amount and rate."""
        with self._lock:
            self._begun_s[source] = self._clock.monotonic()

    def images_saved(self, source: str, images: int, over_s: float) -> None:
        """Note that a source saw so many images saved within the last `over_s` seconds."""
        now_s = self._clock.monotonic()
        with self._lock:
            arrivals = self._arrivals.setdefault(source, deque())
            if images == 0:
                self._begun_s.pop(source, None)
                if over_s >= _NONE_S:
                    arrivals.clear()
            last = arrivals[-1] if arrivals else None
            together = last is not None and over_s == last.over_s == 0
            if last is not None and together and now_s - last.at_s < _TOGETHER_S:
                last.images += images
            else:
                arrivals.append(_Arrival(at_s=now_s, images=images, over_s=over_s))
            while arrivals[0].until_s <= now_s:
                arrivals.popleft()

    def still_growing(self, source: str) -> None:
        """Note that images still come at the rate that was counted last."""
        now_s = self._clock.monotonic()
        with self._lock:
            arrivals = self._arrivals.get(source, ())
            later_s = now_s - arrivals[-1].at_s if arrivals else 0.0
            for each in arrivals:
                each.at_s += later_s

    def finished(self, source: str) -> None:
        """Note that a source saves no more images for now."""
        with self._lock:
            self._arrivals.pop(source, None)
            self._begun_s.pop(source, None)

    def bursting(self, source: str) -> bool:
        """Whether the images of a source come as a burst that scoring waits for."""
        with self._lock:
            fast = self._rate(source, self._clock.monotonic()) >= self._per_s
            return fast and self._most_s > 0 and self._state is not _State.OVERDUE

    @property
    def reason(self) -> str:
        """Why scoring waits, for people; '' while it does not."""
        if self._state is _State.WAITING:
            return "scoring waits while images are being saved"
        return ""

    def hold_s(self) -> float:
        """Return how long to wait before asking again; 0 when a frame may be taken up."""
        now_s = self._clock.monotonic()
        with self._lock:
            rates = {source: self._rate(source, now_s) for source in self._arrivals}
            source = max(rates, key=lambda source: rates[source], default="")
            fast = self._most_s > 0 and rates.get(source, 0.0) >= self._per_s
            begun_s = max(self._begun_s.values(), default=float("-inf"))
            passed_s, self._asked_s = now_s - self._asked_s, now_s
            self._left_s += -passed_s if self._held else passed_s
            self._left_s = min(max(self._left_s, 0.0), self._most_s)
            may = self._left_s >= _LEAST_S and self._state is not _State.OVERDUE
            before = self._state
            if fast:
                self._state = _State.WAITING if may else _State.OVERDUE
            else:
                self._state = _State.RESTING
            self._held = may and (fast or now_s - begun_s < MOMENT_S)
            held, hold_s, now = self._held, min(STEP_S, self._left_s), self._state
        if now is not before:
            self._log_change(now, before, source, rates.get(source, 0.0), now_s)
        return hold_s if held else 0.0

    def _rate(self, source: str, now_s: float) -> float:
        """Images a second, over the window or the span that the source reported if longer."""
        counted = [each for each in self._arrivals.get(source, ()) if each.until_s > now_s]
        over_s = max(WINDOW_S, sum(each.over_s for each in counted))
        return sum(each.images for each in counted) / over_s

    def _log_change(
        self, now: _State, before: _State, source: str, rate: float, now_s: float
    ) -> None:
        if now is _State.WAITING:
            self._since_s = now_s
            event = {"source": source, "images_per_s": round(rate, 1)}
            log.info("scoring waits for a burst of images", **event)
        elif before is _State.WAITING:
            event = {"waited_s": round(now_s - self._since_s, 1)}
            if now is _State.OVERDUE:
                event = {"source": source, **event}
                log.info("burst goes on, scoring waits no longer", **event)
            else:
                log.info("scoring goes on", **event)
