"""The monitor watches itself: no frame comes, a source is dead, the disk fills, it was down.

The schedule calls `tick`. Each rule of the monitor is a state machine in the database, so that a
restart repeats no message, and alerts resolve by themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from scopewatch.core.alerts.monitor import (
    ended_early,
    model_refused,
    no_frames,
    reload_refused,
    restarted,
    source_dead,
)
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.clock import Clock
from scopewatch.core.source import FrameSource
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Message
from scopewatch.runtime.clock import ClockWatch
from scopewatch.runtime.process.restart_history import LivenessStore, RestartHistory
from scopewatch.runtime.supervision.disks import Disks
from scopewatch.runtime.supervision.watched_sources import WatchedSources

log = get_logger(__name__)

TICK_S: Final = 15.0
# Of the time between two ticks, what goes to plates that are behind: the next comes when it is due.
CATCH_UP_S: Final = 12.0
# After a start the sources first catch up on what came meanwhile.
CATCH_UP: Final = timedelta(minutes=5)


class FrameSeen(Protocol):
    """The newest frame of the run."""

    @property
    def at(self) -> datetime | None:
        """When the latest was settled; None before the first."""
        ...

    @property
    def newest_at(self) -> datetime | None:
        """When the one that came in last was settled; None before the first."""
        ...

    @property
    def day(self) -> float | None:
        """Latest day of the run that a judged frame was taken on."""
        ...


class MonitorStore(LivenessStore, Protocol):
    """The states of rules, and what is known of the run. Every method may raise StoreError."""

    def watch(self, observed: Sequence[tuple[AlertRule, Observation]]) -> tuple[Message, ...]:
        """Step rules of the monitor; return the messages that were queued."""
        ...

    def let_time_pass(self, clock_right_for: timedelta | None) -> tuple[Message, ...]:
        """Step what the passing of time alone changes of wells and plates, after what was due.

        `clock_right_for`: since when the clock was not set; None where it never was.
        """
        ...

    @property
    def behind(self) -> bool:
        """Whether `let_time_pass` has left something to do for its next call."""
        ...

    def last_frame(self) -> FrameSeen:
        """Return the newest frame of the run."""
        ...


class Monitor:
    """Steps the rules that need the clock; one thread at a time.

    Parameters
    ----------
    rules
        All rules; those of wells and plates are passed over.
    final_day, interval_h
        When the run ends, and how often its frames come.
    free_bytes
        Reads the free space, by place where results, a microscope's images or our pictures are
        written; may raise OSError.
    wake
        Called when messages wait for delivery.
    refusal
        Why the last reload was refused; empty when none was since the last good one.
    troubles
        Returns why sources could not be started, by their names.
    over
        Whether the run is over though its final day was not judged: its time has passed.
    stopping
        Whether the daemon ends: then nothing more is begun.
    """

    def __init__(
        self,
        store: MonitorStore,
        *,
        rules: Sequence[AlertRule],
        sources: Sequence[FrameSource],
        run: str,
        final_day: float,
        interval_h: float,
        free_bytes: Mapping[str, Callable[[], int]],
        clock: Clock,
        wake: Callable[[], None],
        refusal: Callable[[], str] = str,
        troubles: Callable[[], Mapping[str, str]] = dict,
        over: Callable[[], bool] = bool,
        stopping: Callable[[], bool] = bool,
    ) -> None:
        self._store = store
        self._own = tuple(rule for rule in rules if rule.kind.of_the_monitor and rule.covers(run))
        self._final_day = final_day
        self._interval_h = interval_h
        self._disks = Disks(free_bytes)
        self._clock = clock
        self._clock_watch = ClockWatch(clock)
        self._set_at_s: float | None = None
        self._wake = wake
        self._refusal = refusal
        self._over = over
        self._stopping = stopping
        self._history = RestartHistory(store)
        self._sources = WatchedSources(sources, troubles, self._history)

    def tick(self) -> None:
        """Look at everything once. Raises StoreError while the database is away.

        Plates that are behind are caught up with, for most of the time until the next tick.
        """
        began_s = self._clock.monotonic()
        self._follow_clock()
        now = self._clock.now()
        if self._history.started_at is None:
            self._history.recall(now)
        observed = [
            (rule, seen) for rule in self._own if (seen := self._observe(rule, now)) is not None
        ]
        self._log_alerts(self._store.watch(observed) if observed else ())
        self._history.show(now)
        while not self._stopping():
            self._log_alerts(self._store.let_time_pass(self._clock_right_for()))
            if not self._store.behind or self._clock.monotonic() - began_s > CATCH_UP_S:
                break

    def end(self) -> None:
        """Record that the daemon was asked to stop, so that the next start raises no alert."""
        self._history.end(self._clock.now())

    def _log_alerts(self, messages: Sequence[Message]) -> None:
        for message in messages:
            log.warning("alert changed", severity=message.severity.value, title=message.title)
        if messages:
            self._wake()

    def _follow_clock(self) -> None:
        by_s = self._clock_watch.set_by_s()
        if by_s:
            self._set_at_s = self._clock.steady()
            self._history.set_by(by_s)
            log.warning("clock was set", by_s=round(by_s))

    def _clock_right_for(self) -> timedelta | None:
        if self._set_at_s is None:
            return None
        return timedelta(seconds=self._clock.steady() - self._set_at_s)

    def _observe(self, rule: AlertRule, now: datetime) -> Observation | None:
        """Return what is observed; None where it is unknown at the moment."""
        seen: Observation | None = None
        match rule.kind:
            case RuleKind.NO_FRAMES:
                seen = self._look_for_frames(now)
            case RuleKind.SOURCE_DEAD:
                dead = self._sources.dead(now)
                seen = source_dead(
                    at=now,
                    dead=dead,
                    patience_min=rule.raise_above,
                    shortfall=self._sources.shortfall(),
                )
            case RuleKind.ENDED_EARLY:
                last = self._store.last_frame()
                seen = ended_early(
                    at=now,
                    day=last.day or 0.0,
                    final_day=self._final_day,
                    ended=last.day is not None and self._sources.have_ended(),
                )
            case RuleKind.DISK_LOW:
                seen = self._disks.observe(now)
            case RuleKind.RESTARTED:
                seen = restarted(
                    at=now,
                    started_at=self._history.started_at or now,
                    last_alive_at=self._history.alive_before,
                    clean=self._history.stopped_cleanly,
                )
            case RuleKind.MODEL_REFUSED | RuleKind.RELOAD_REFUSED:
                seen = self._look_at_refusals(rule.kind, now)
        return seen

    def _look_for_frames(self, now: datetime) -> Observation | None:
        last = self._store.last_frame()
        interval = timedelta(hours=self._interval_h)
        waiting_since = self._history.waiting_since or now
        frames = tuple(at for at in (last.at, last.newest_at) if at is not None)
        last_at = self._history.last_frame_at(frames, now)
        if last_at is not None and now - waiting_since < min(CATCH_UP, interval):
            return None
        # The last time point is seldom to the minute on the final day.
        over = last.day is not None and last.day >= self._final_day - self._interval_h / 48
        if not over and self._over():
            # No frame is due any more, but none has come either: the rule keeps its state.
            return None
        return no_frames(
            at=now,
            last_frame_at=waiting_since if last_at is None else last_at,
            interval_h=self._interval_h,
            expected=not over and not self._sources.have_ended(),
        )

    def _look_at_refusals(self, kind: RuleKind, now: datetime) -> Observation:
        if kind is RuleKind.RELOAD_REFUSED:
            return reload_refused(at=now, reason=self._refusal())
        # The daemon runs, so its model was accepted; a start that refuses it raises the alert.
        return model_refused(at=now, reason="")
