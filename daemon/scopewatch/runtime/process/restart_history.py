"""What one life of the daemon leaves to the next: that it lived, how it ended, what it waited for.

A daemon that hangs or crashes at every start lives for a minute or two at a time. What takes longer
to be told (no frame comes, a source is dead) counts over such lives: else it would never be told.

All of it is told by the time of day, since it outlives the process. Where the clock is set,
`set_by` moves what was noted along with it, so that no time seems to have passed, or not to have.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

ALIVE: Final = "alive"
STOPPED: Final = "stopped"
# A sign of life costs a write to the disk: it need not come with each tick.
ALIVE_EVERY: Final = timedelta(minutes=1)
# A life that begins so soon after the last sign of one that nobody ended goes on with it.
NEXT_WITHIN: Final = timedelta(minutes=5)


class LivenessRecord(Protocol):
    """When something last happened, and a word about it."""

    @property
    def at(self) -> datetime:
        """When, aware UTC."""
        ...

    @property
    def detail(self) -> str:
        """More of it; empty where there is none."""
        ...


class LivenessStore(Protocol):
    """Where the signs of life are kept. Every method may raise StoreError."""

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        """Record that something of the daemon happened."""
        ...

    def liveness(self) -> Mapping[str, LivenessRecord]:
        """Return when each thing recorded by `sign` last happened."""
        ...


class RestartHistory:
    """What a life of the daemon knows of those before it, and leaves to the next.

    One thread at a time.

    Attributes
    ----------
    started_at
        When this life began; None before `recall`.
    alive_before
        When the one before last showed life; None when there was none.
    stopped_cleanly
        Whether that one was asked to stop, or there was none.
    waiting_since
        Since when frames are waited for: the start of this life, or of the first of several that
        followed one another and that nobody ended. None before `recall`.
    """

    def __init__(self, kept: LivenessStore) -> None:
        self._kept = kept
        self.started_at: datetime | None = None
        self.alive_before: datetime | None = None
        self.stopped_cleanly = True
        self.waiting_since: datetime | None = None
        self._dead_since: dict[str, datetime] = {}
        self._frame_at: datetime | None = None
        self._frames: tuple[datetime, ...] | None = None
        self._signed: tuple[datetime, str] | None = None

    def recall(self, now: datetime) -> None:
        """Begin with what the life before left. Raises StoreError; to be called again then."""
        signs = self._kept.liveness()
        alive, stopped = signs.get(ALIVE), signs.get(STOPPED)
        self.stopped_cleanly = alive is None or (stopped is not None and _ends(stopped, alive))
        self.alive_before = alive.at if alive is not None else None
        self.started_at = self.waiting_since = now
        # The sign of a version that left no more than its time goes on with nothing.
        if alive is None or self.stopped_cleanly or not alive.detail:
            return
        if now - alive.at < NEXT_WITHIN:
            left = json.loads(alive.detail)
            # A clock that was set back must not make it wait until then.
            self.waiting_since = min(datetime.fromisoformat(left["waiting_since"]), now)
            self._dead_since = {
                name: min(datetime.fromisoformat(since), now)
                for name, since in left["dead_since"].items()
            }

    def set_by(self, seconds: float) -> None:
        """Take note that the time of day was set: what was noted by it moves along."""
        by = timedelta(seconds=seconds)
        self.started_at = _moved(self.started_at, by)
        self.waiting_since = _moved(self.waiting_since, by)
        self._frame_at = _moved(self._frame_at, by)
        self._dead_since = {name: at + by for name, at in self._dead_since.items()}
        if self._signed is not None:
            # A new sign with the next tick: the next life must not read one by the clock as it was.
            self._signed = self._signed[0], ""

    def last_frame_at(self, frames: tuple[datetime, ...], now: datetime) -> datetime | None:
        """Return when a frame was settled last, by the clock as it is set now; None before any.

        Parameters
        ----------
        frames
            When the latest and the newest one were, by the clock as it was set then. Where it was
            set back, the latest stays the latest for a while, though frames come: only a change
            tells of one.
        """
        if frames != self._frames:
            # Of a life before this one, and later than now: nobody knows when.
            unknown = now if self._frames else self.waiting_since
            self._frame_at = max((at for at in frames if at <= now), default=unknown)
            self._frames = frames
        return self._frame_at if frames else None

    def dead_since(self, source: str, now: datetime) -> datetime:
        """Note that a source gives nothing; return since when it was seen so."""
        return self._dead_since.setdefault(source, now)

    def is_well(self, source: str) -> None:
        """Note that nothing is wrong with a source."""
        self._dead_since.pop(source, None)

    def show(self, now: datetime) -> None:
        """Leave a sign of life, with what the next life has to know. Raises StoreError."""
        detail = json.dumps(
            {
                "waiting_since": (self.waiting_since or now).isoformat(),
                "dead_since": {name: at.isoformat() for name, at in self._dead_since.items()},
            }
        )
        if self._signed is not None:
            signed_at, signed = self._signed
            if detail == signed and now - signed_at < ALIVE_EVERY:
                return
        self._kept.record_liveness(ALIVE, now, detail)
        self._signed = now, detail

    def end(self, now: datetime) -> None:
        """Note that the daemon was asked to stop. Raises StoreError."""
        after = "" if self._signed is None else self._signed[0].isoformat()
        self._kept.record_liveness(STOPPED, now, after)


def _ends(stopped: LivenessRecord, alive: LivenessRecord) -> bool:
    """Say whether the end is that of the life which left the sign, however the clock was set."""
    if stopped.detail:
        return datetime.fromisoformat(stopped.detail) == alive.at
    return stopped.at >= alive.at


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
