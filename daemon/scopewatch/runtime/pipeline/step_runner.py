"""Runs the steps of a job: repeats a step while the store or the source is away, and times it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, StoreError
from scopewatch.runtime.backoff import Backoff

# Raised where the world is at fault (a full disk, a locked database, a lost share), not the frame.
AWAY = (StoreError, SourceError)

_T = TypeVar("_T")


def _ignore_begin() -> None:
    return None


def _ignore_failure(_step: str, _error: Exception) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPolicy:
    """How long a step is repeated, and who is called meanwhile.

    Parameters
    ----------
    patience_s
        How long one step is repeated; 0 tries once.
    pause
        Waits so many seconds; returns True when the work must stop at once.
    on_begin
        Called as each attempt begins: a stall is a step that hangs, not a frame of many slow steps.
    on_failure
        Called with the step's name and the error after each failed attempt, before the pause.
    """

    patience_s: float
    pause: Callable[[float], bool]
    on_begin: Callable[[], None] = _ignore_begin
    on_failure: Callable[[str, Exception], None] = _ignore_failure


class StepRunner:
    """Runs the steps of one job, in one thread, and adds up the seconds that each took."""

    def __init__(self, policy: StepPolicy, clock: Clock) -> None:
        self._policy = policy
        self._took_s: dict[str, float] = {}
        self.clock = clock

    @property
    def took_s(self) -> Mapping[str, float]:
        """Seconds spent on each step that ended well, pauses included, by its name."""
        return MappingProxyType(self._took_s)

    def run(self, step: str, fn: Callable[[], _T]) -> _T:
        """Return what `fn` returns; repeat it while the store or the source is away.

        Raises
        ------
        StoreError, SourceError
            Once the patience is over, or when the work must stop.
        """
        started_s = self.clock.monotonic()
        backoff = Backoff(first_s=0.5, most_s=10.0)
        while True:
            self._policy.on_begin()
            try:
                value = fn()
            except AWAY as error:
                delay_s = backoff.next_s()
                spent_s = self.clock.monotonic() - started_s
                self._policy.on_failure(step, error)
                if spent_s + delay_s > self._policy.patience_s or self._policy.pause(delay_s):
                    raise
            else:
                took_s = self.clock.monotonic() - started_s
                self._took_s[step] = self._took_s.get(step, 0.0) + took_s
                return value

    def without_patience(self) -> "StepRunner":
        """Return a runner that tries each step once, and adds to the same seconds."""
        impatient = StepRunner(replace(self._policy, patience_s=0.0), self.clock)
        impatient._took_s = self._took_s
        return impatient
