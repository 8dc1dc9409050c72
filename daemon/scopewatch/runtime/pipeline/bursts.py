"""Whether a microscope is saving a burst of images right now, and scoring had better wait.

    resting --images come faster than `per_s`--> waiting --they come no more--> resting
                                                    '--waited as long as it may--> overdue:
                                               frames are scored beside the burst, until it ends

A time-lapse saves a time point as fast as it can and then rests for hours: what wakes to save an
image waits for the processor and the disk while a frame is scored beside it, and a warning that is
needed within hours loses nothing by some seconds. A stage that moves between wells is no burst.

Where something begins to be written, no frame is taken up for a moment, until its rate is known.
"""

import logging
import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from scopewatch.core.clock import Clock

log = logging.getLogger(__name__)

# Images count for so long: one z-stack is a burst, the two channels of a well are none.
WINDOW_S = 2.0
# How long something that begins is waited for, unless it is counted before.
MOMENT_S = 1.0
# How soon the end of a burst is noticed.
STEP_S = 0.25
# A source that looks seldom tells of more than that, but not of what happens now.
_LONGEST_S = 6.0
# A look back over so long that found none is the end of a burst.
_NONE_S = 0.4
# Images told one by one are counted together for so long, which bounds what is remembered.
_TOGETHER_S = 0.05
# Less than this is not worth a wait.
_LEAST_S = 1e-3


class _State(Enum):
    RESTING = auto()
    WAITING = auto()
    OVERDUE = auto()


@dataclass(slots=True, kw_only=True)
class _Told:
    """So many images were saved within `over_s` before `at_s`."""

    at_s: float
    images: int
    over_s: float

    @property
    def until_s(self) -> float:
        """Until when it counts: a source that looks seldom is given the time to look again."""
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
        self._told: dict[str, deque[_Told]] = {}
        self._begun_s: dict[str, float] = {}
        self._state = _State.RESTING
        # How long it may wait yet, as of when it was asked last, and whether it waits since then.
        self._left_s = wait_s
        self._asked_s = self._since_s = clock.monotonic()
        self._held = False

    def write_started(self, source: str) -> None:
        """Note that something is being written, nobody knows yet how much and how fast."""
        with self._lock:
            self._begun_s[source] = self._clock.monotonic()

    def images_saved(self, source: str, images: int, over_s: float) -> None:
        """Note that a source saw so many images saved within the last `over_s` seconds."""
        now_s = self._clock.monotonic()
        with self._lock:
            told = self._told.setdefault(source, deque())
            if images == 0:
                self._begun_s.pop(source, None)
                if over_s >= _NONE_S:
                    told.clear()
            if told and over_s == told[-1].over_s == 0 and now_s - told[-1].at_s < _TOGETHER_S:
                told[-1].images += images
            else:
                told.append(_Told(at_s=now_s, images=images, over_s=over_s))
            while told[0].until_s <= now_s:
                told.popleft()

    def still_growing(self, source: str) -> None:
        """Note that images still come as they did when they were counted last."""
        now_s = self._clock.monotonic()
        with self._lock:
            told = self._told.get(source, ())
            later_s = now_s - told[-1].at_s if told else 0.0
            for each in told:
                each.at_s += later_s

    def finished(self, source: str) -> None:
        """Note that nothing more comes of a source for now."""
        with self._lock:
            self._told.pop(source, None)
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
            rates = {source: self._rate(source, now_s) for source in self._told}
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
            self._tell(now, before, source, rates.get(source, 0.0), now_s)
        return hold_s if held else 0.0

    def _rate(self, source: str, now_s: float) -> float:
        """Images a second, over the window or what the source told of, if that is longer."""
        counted = [each for each in self._told.get(source, ()) if each.until_s > now_s]
        over_s = max(WINDOW_S, sum(each.over_s for each in counted))
        return sum(each.images for each in counted) / over_s

    def _tell(self, now: _State, before: _State, source: str, rate: float, now_s: float) -> None:
        if now is _State.WAITING:
            self._since_s = now_s
            event = {"source": source, "images_per_s": round(rate, 1)}
            log.info("scoring waits for a burst of images", extra={"event": event})
        elif before is _State.WAITING:
            event = {"waited_s": round(now_s - self._since_s, 1)}
            if now is _State.OVERDUE:
                event = {"source": source, **event}
                log.info("burst goes on, scoring waits no longer", extra={"event": event})
            else:
                log.info("scoring goes on", extra={"event": event})
