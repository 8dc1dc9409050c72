"""The main thread: starts the stages, feeds systemd's watchdog, and stops in time.

    starting --every source tended, one watching--> ready --stop()--> stopping --> stopped
        '---------------- a stage ends by itself ---------------------^

The watchdog is fed only while every stage is running and makes progress on the monotonic clock:
systemd then restarts a daemon that hangs, wherever it hangs.
"""

import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scopewatch.core.ports import Clock
from scopewatch.runtime.heartbeats import Heartbeats
from scopewatch.runtime.keeper import SourceKeeper
from scopewatch.runtime.sd_notify import SystemdNotifier

log = logging.getLogger(__name__)

TICK_S = 1.0
# Asked of systemd anew at each tick while no source can be reached: a share may come late.
STARTING_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Something that runs beside the main thread.

    Parameters
    ----------
    start
        Returns once it runs; what it raises ends the start of the daemon.
    stop
        Ends it within so many seconds; False when it did not end in time.
    running
        Whether it runs; one that ended by itself ends the daemon.
    """

    name: str
    start: Callable[[], None]
    stop: Callable[[float], bool]
    running: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the daemon is: `complaints` holds one line for each thing that is wrong."""

    ready: bool
    complaints: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether everything works."""
        return self.ready and not self.complaints


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """How the daemon ended.

    Parameters
    ----------
    failed_stage
        The stage that ended by itself; None when the daemon was asked to stop.
    clean
        False when a stage did not stop in time: its thread may still be running.
    """

    failed_stage: str | None
    clean: bool


class Supervisor:
    """Owns the life of all stages.

    Parameters
    ----------
    summary
        One line of figures for the status.
    troubles
        What else is wrong, one line each: a full disk, say, that stages wait for and survive.
    watchdog_s
        Within how many seconds systemd wants a sign of life; None when it does not.
    stop_within_s
        Seconds that all stages together have to end.
    """

    def __init__(
        self,
        *,
        keepers: Sequence[SourceKeeper],
        heartbeats: Heartbeats,
        notifier: SystemdNotifier,
        clock: Clock,
        summary: Callable[[], str],
        troubles: Callable[[], Sequence[str]] = tuple,
        watchdog_s: float | None = None,
        stop_within_s: float = 4.5,
    ) -> None:
        self._stages: list[Stage] = []
        self._keepers = keepers
        self._heartbeats = heartbeats
        self._notifier = notifier
        self._clock = clock
        self._summary = summary
        self._troubles = troubles
        self._watchdog_s = watchdog_s
        self._stop_within_s = stop_within_s
        # Reentrant, unlike Event.set(): `stop` is called by signal handlers.
        self._orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ready = False
        self._fed_s = float("-inf")
        self._told = ""
        self._stalled = False

    def add(self, stage: Stage) -> None:
        """Enter a stage: they start in the order they were added, and stop in the reverse."""
        self._stages.append(stage)

    def run(self) -> Farewell:
        """Start everything, look after it until `stop` is called, stop everything.

        Raises
        ------
        ScopewatchError
            What a stage raised at its start; the stages before it are stopped then.
        """
        started: list[Stage] = []
        failed: str | None = None
        try:
            for stage in self._stages:
                stage.start()
                started.append(stage)
            failed = self._watch()
        finally:
            clean = self._stop_all(started)
        return Farewell(failed_stage=failed, clean=clean)

    def stop(self) -> None:
        """Ask the daemon to stop; any thread and signal handlers may call it."""
        self._orders.put("stop")

    def condition(self) -> Condition:
        """Say how the daemon is; any thread may ask."""
        complaints = [f"{stage.name} has ended" for stage in self._stages if not stage.running()]
        complaints += [
            f"{name} has made no progress for {silent_s:.0f} s"
            for name, silent_s in self._heartbeats.stalled().items()
        ]
        complaints += [
            f"{keeper.stage}: {keeper.trouble or 'not started yet'}"
            for keeper in self._keepers
            if not keeper.watching
        ]
        complaints += [
            f"{keeper.stage}: {keeper.failing}"
            for keeper in self._keepers
            if keeper.watching and keeper.failing
        ]
        complaints += self._troubles()
        return Condition(ready=self._ready, complaints=tuple(complaints))

    def tick(self) -> str | None:
        """Look after everything once; the name of a stage that ended by itself, if one did."""
        ended = next((stage.name for stage in self._stages if not stage.running()), None)
        if ended is not None:
            log.critical("stage ended by itself", extra={"event": {"stage": ended}})
            return ended
        stalled = self._heartbeats.stalled()
        if not self._ready and self._able_to_work():
            self._ready = True
            self._notifier.ready(self._summary())
            log.info("ready", extra={"event": {"sources": len(self._keepers)}})
        self._tell(stalled)
        if not stalled:
            self._feed()
        return None

    def _watch(self) -> str | None:
        tick_s = TICK_S if self._watchdog_s is None else min(TICK_S, self._watchdog_s / 4)
        while True:
            ended = self.tick()
            if ended is not None:
                return ended
            try:
                self._orders.get(timeout=tick_s)
            except queue.Empty:
                continue
            return None

    def _able_to_work(self) -> bool:
        tended = all(keeper.tended for keeper in self._keepers)
        return tended and any(keeper.watching for keeper in self._keepers)

    def _feed(self) -> None:
        now_s = self._clock.monotonic()
        if self._watchdog_s is not None and now_s - self._fed_s >= self._watchdog_s / 2:
            self._notifier.alive()
            self._fed_s = now_s

    def _tell(self, stalled: dict[str, float]) -> None:
        if stalled and not self._stalled:
            log.error("stage makes no progress", extra={"event": {"silent_s": stalled}})
        elif self._stalled and not stalled:
            log.warning("all stages make progress again")
        self._stalled = bool(stalled)
        line = "; ".join((*self.condition().complaints, self._summary()))
        if not self._ready:
            self._notifier.starting(line, within_s=STARTING_S)
        elif line != self._told:
            self._notifier.status(line)
        self._told = line

    def _stop_all(self, started: list[Stage]) -> bool:
        self._notifier.stopping()
        log.info("stopping", extra={"event": {"stages": len(started)}})
        ends_at = self._clock.monotonic() + self._stop_within_s
        clean = True
        for stage in reversed(started):
            left_s = max(0.0, ends_at - self._clock.monotonic())
            try:
                in_time = stage.stop(left_s)
            except Exception:
                # The stages after it must still be stopped.
                log.exception("stage failed to stop", extra={"event": {"stage": stage.name}})
                in_time = False
            if not in_time:
                log.error("stage did not stop in time", extra={"event": {"stage": stage.name}})
            clean = clean and in_time
        log.info("stopped", extra={"event": {"clean": clean}})
        return clean
