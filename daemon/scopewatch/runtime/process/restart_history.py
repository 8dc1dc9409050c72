"""What one run of the daemon records for the next: when it was alive, how it ended, its waits.

A daemon that hangs or crashes at every start runs for a minute or two at a time. Alerts that need
longer (no frame comes, a source is dead) count time over such runs: else nobody would get them.

All times are of the time of day, since they outlive the process. Where the clock is set, `set_by`
moves the recorded times along, so that the step does not count as time that passed.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

ALIVE: Final = "alive"
STOPPED: Final = "stopped"
# Each record costs a write to the disk, so not each tick makes one.
ALIVE_EVERY: Final = timedelta(minutes=1)
# A run that begins so soon after the last record of one that nobody stopped continues its waits.
NEXT_WITHIN: Final = timedelta(minutes=5)


class LivenessRecord(Protocol):
    """When something last happened, with a detail."""

    @property
    def at(self) -> datetime:
        """When, aware UTC."""
        ...

    @property
    def detail(self) -> str:
        """More of it; empty where there is none."""
        ...


class LivenessStore(Protocol):
    """Where the records are kept. Every method may raise StoreError."""

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        """Record that something happened to the daemon."""
        ...

    def liveness(self) -> Mapping[str, LivenessRecord]:
        """Return the newest record of each name."""
        ...


class RestartHistory:
    """Reads what earlier runs of the daemon recorded, and records this one; one thread at a time.

    Attributes
    ----------
    started_at
        When this run began; None before `recall`.
    alive_before
        When the run before was last alive; None when there was none.
    stopped_cleanly
        Whether that one was asked to stop, or there was none.
    waiting_since
        Since when frames are waited for: the start of this run, or of the first of several that
        followed one another and that nobody stopped. None before `recall`.
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
        """Read what the run before recorded. Raises StoreError; to be called again then."""
        signs = self._kept.liveness()
        alive, stopped = signs.get(ALIVE), signs.get(STOPPED)
        self.stopped_cleanly = alive is None or (
            stopped is not None and is_of_one_run(stopped, alive)
        )
        self.alive_before = alive.at if alive is not None else None
        self.started_at = self.waiting_since = now
        # Older versions recorded no more than the time.
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
        """Move all recorded times by as much as the time of day was set."""
        by = timedelta(seconds=seconds)
        self.started_at = _moved(self.started_at, by)
        self.waiting_since = _moved(self.waiting_since, by)
        self._frame_at = _moved(self._frame_at, by)
        self._dead_since = {name: at + by for name, at in self._dead_since.items()}
        if self._signed is not None:
            # The next tick records again: the next run must not read times of the clock as it was.
            self._signed = self._signed[0], ""

    def last_frame_at(self, frames: tuple[datetime, ...], now: datetime) -> datetime | None:
        """Return when a frame was settled last, by the clock as it is set now; None before any.

        Parameters
        ----------
        frames
            When the latest and the newest one were, by the clock as it was set then. Where it was
            set back, the latest stays the latest for a while, though frames come: only a change
            shows a new frame.
        """
        if frames != self._frames:
            # Of an earlier run, and later than now: its time is unknown.
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
        """Record that the daemon is alive, with what the next run needs. Raises StoreError."""
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
        """Record that the daemon was asked to stop. Raises StoreError."""
        after = "" if self._signed is None else self._signed[0].isoformat()
        self._kept.record_liveness(STOPPED, now, after)


def is_of_one_run(stopped: LivenessRecord, alive: LivenessRecord) -> bool:
    """Return whether both records are of the same run, however the clock was set."""
    if stopped.detail:
        return datetime.fromisoformat(stopped.detail) == alive.at
    return stopped.at >= alive.at


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
