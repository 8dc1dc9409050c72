"""The item a worker has in hand: its steps, repeated while store or source are away, and timed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, StoreError
from scopewatch.core.imaging.frame import FrameTicket
from scopewatch.messages.settled import Settled
from scopewatch.runtime.backoff import Backoff
from scopewatch.runtime.pipeline.inbox import Item
from scopewatch.runtime.pipeline.outcome import Ending, Observer, Outcome

log = logging.getLogger(__name__)

# Raised where the world is at fault (a full disk, a locked database, a lost share), not the frame.
AWAY = (StoreError, SourceError)

_T = TypeVar("_T")


@dataclass(slots=True, kw_only=True)
class Hand:
    """One item on its way, used by one thread.

    Parameters
    ----------
    claimed
        Whether the ledger counted this attempt already.
    patience_s
        How long one step is repeated; 0 tries once.
    pause
        Waits so many seconds; True when the work must be left off at once.
    note
        Told why a step failed, for whoever asks how the daemon is.
    beat
        Called as each step begins: a stall is a step that hangs, not a frame of many slow ones.
    """

    item: Item
    claimed: bool
    patience_s: float
    clock: Clock
    pause: Callable[[float], bool]
    observer: Observer
    note: Callable[[str], None] = lambda _: None
    beat: Callable[[], None] = lambda: None
    steps_s: dict[str, float] = field(default_factory=dict)

    def step(self, name: str, do: Callable[[], _T]) -> _T:
        """Do a step, again and again while the store or the source is away, and time it.

        Raises
        ------
        StoreError, SourceError
            Once the patience is over, or the work must be left off.
        """
        started_s = self.clock.monotonic()
        backoff = Backoff(first_s=0.5, most_s=10.0)
        while True:
            self.beat()
            try:
                value = do()
            except AWAY as error:
                delay_s = backoff.next_s()
                spent_s = self.clock.monotonic() - started_s
                self.observer.failed(name)
                self.note(f"{name} is repeated: {error}")
                log.warning(
                    "step failed", extra={"event": {**self.place(), "step": name, "why": error}}
                )
                if spent_s + delay_s > self.patience_s or self.pause(delay_s):
                    raise
            else:
                took_s = self.clock.monotonic() - started_s
                self.steps_s[name] = self.steps_s.get(name, 0.0) + took_s
                return value

    def end(self, ending: Ending, *, reason: str = "", settled: Settled | None = None) -> Outcome:
        """Sum up the work on the item."""
        return Outcome(
            ending=ending,
            key=self.item.key if isinstance(self.item, FrameTicket) else None,
            latency_s=max(0.0, (self.clock.now() - self.item.seen_at).total_seconds()),
            steps_s=dict(self.steps_s),
            reason=reason,
            alerts=settled.alerts if settled else (),
        )

    def place(self) -> dict[str, object]:
        """Return what names the item in the log."""
        named = {"key": self.item.key} if isinstance(self.item, FrameTicket) else {}
        return {**named, "source": self.item.source, "file": self.item.locator}
