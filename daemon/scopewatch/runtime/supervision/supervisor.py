"""The main thread: starts the stages, feeds systemd's watchdog, and stops in time.

    starting --every source checked, one watching--> ready --stop()--> stopping --> stopped
        '------- a stage ends by itself, or hangs for too long -------^

    ready --reload()--> reloading --refused--> ready
                            '-----in order---> stopping; the caller builds the daemon again

The watchdog is fed only while every stage is running and makes progress on the monotonic clock:
systemd then restarts a daemon that hangs, wherever it hangs. Where no systemd does, the daemon
ends itself, so that whatever keeps it running starts it again.
"""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from scopewatch.core.clock import Clock
from scopewatch.event_log import get_logger
from scopewatch.runtime.process.sd_notify import SystemdNotifier
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.reload import Reload, Reloader
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from scopewatch.runtime.supervision.stages import (
    Condition,
    ExitReport,
    Stage,
    list_complaints,
    stop_stages,
)

log = get_logger(__name__)

TICK_S = 1.0
# Until it is ready, which is seen at a tick.
STARTING_TICK_S = 0.05
# Asked of systemd again at each tick while no source can be reached: a share may come late.
STARTING_S = 60.0
# Nobody waits for the end of a daemon that reloads: a large frame may be finished. Still within
# half of the watchdog's 60 s.
RELOAD_STOP_WITHIN_S = 20.0


class _Order(Enum):
    STOP = auto()
    RELOAD = auto()
    SWAP = auto()
    KEEP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """The stage that the daemon ends for: it ended by itself, or hangs."""

    stage: str
    hung: bool


class Supervisor:
    """Starts, watches and stops all stages.

    Parameters
    ----------
    summary
        One line of figures for the status.
    troubles
        Returns what else is wrong, one line each: a full disk, for example, that stages survive.
    watchdog_s
        Seconds within which systemd expects a sign of life; None when it expects none.
    reloader
        Checks a reload; None when there is none.
    end_on_stall_s
        Seconds of a stall after which the daemon ends itself, where no watchdog of systemd does;
        None: it never does.
    stop_within_s
        Seconds that all stages together have to end.
    """

    def __init__(
        self,
        *,
        watchers: Sequence[SourceSupervisor],
        heartbeats: Heartbeats,
        notifier: SystemdNotifier,
        clock: Clock,
        summary: Callable[[], str],
        troubles: Callable[[], Sequence[str]] = tuple,
        watchdog_s: float | None = None,
        end_on_stall_s: float | None = None,
        reloader: Reloader | None = None,
        stop_within_s: float = 4.5,
    ) -> None:
        self._stages: list[Stage] = []
        self._watchers = watchers
        self._heartbeats = heartbeats
        self._notifier = notifier
        self._clock = clock
        self._summary = summary
        self._troubles = troubles
        self._watchdog_s = watchdog_s
        self._end_on_stall_s = end_on_stall_s
        self._stop_within_s = stop_within_s
        # Reentrant, unlike Event.set(): `stop` is called by signal handlers.
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._reload = Reload(
            reloader,
            notifier=notifier,
            clock=clock,
            found=lambda able: self._orders.put(_Order.SWAP if able else _Order.KEEP),
        )
        self._swapping = False
        self._ready = False
        self._fed_s = float("-inf")
        self._last_line = ""
        # Each stalled stage, and since when it was seen so: a machine that slept, with all its
        # stages silent, gets the time to wake up.
        self._stalled: dict[str, float] = {}

    def add(self, stage: Stage) -> None:
        """Enter a stage: they start in the order they were added, and stop in the reverse."""
        self._stages.append(stage)

    def run(self) -> ExitReport:
        """Start all stages, watch them until `stop` is called, and stop them.

        Raises
        ------
        ScopewatchError
            What a stage raised at its start; the stages before it are stopped then.
        """
        started: list[Stage] = []
        failed: _Failure | None = None
        try:
            for stage in self._stages:
                stage.start()
                started.append(stage)
            failed = self._watch()
        finally:
            late = self._stop_all(started)
        if failed is None and self._swapping and late:
            # What still runs holds the model or the database: only a new process is safe.
            failed = _Failure(stage=late[0], hung=True)
        if failed is None:
            return ExitReport(failed_stage=None, clean=not late, reload=self._swapping)
        return ExitReport(failed_stage=failed.stage, clean=not late, hung=failed.hung)

    def stop(self) -> None:
        """Ask the daemon to stop; any thread and signal handlers may call it."""
        self._orders.put(_Order.STOP)

    def reload(self) -> None:
        """Ask for a reload; any thread and signal handlers may call it."""
        self._orders.put(_Order.RELOAD)

    def condition(self) -> Condition:
        """Return the condition of the daemon; any thread may ask."""
        complaints = list_complaints(self._stages, self._heartbeats, self._watchers)
        complaints += self._troubles()
        return Condition(ready=self._ready, complaints=tuple(complaints))

    def tick(self) -> _Failure | None:
        """Check all stages once; return the failure that the daemon has to end for, if any."""
        ended = next((stage.name for stage in self._stages if not stage.running()), None)
        if ended is not None:
            log.critical("stage ended by itself", stage=ended)
            return _Failure(stage=ended, hung=False)
        stalled = self._heartbeats.stalled()
        if not self._ready and self._able_to_work():
            self._ready = True
            self._notifier.ready(self._summary())
            log.info("ready", sources=len(self._watchers))
        self._report(stalled)
        if self._reload.give_up_late():
            self._keep()
        if not stalled:
            self._feed()
        return self._give_up(stalled)

    def _watch(self) -> _Failure | None:
        tick_s = TICK_S if self._watchdog_s is None else min(TICK_S, self._watchdog_s / 4)
        soon_s = min(STARTING_TICK_S, tick_s)
        while True:
            failed = self.tick()
            if failed is not None:
                return failed
            try:
                order = self._orders.get(timeout=tick_s if self._ready else soon_s)
            except queue.Empty:
                continue
            if self._follow(order):
                return None

    def _follow(self, order: _Order) -> bool:
        """Follow an order; True when the daemon is to end."""
        match order:
            case _Order.STOP:
                self._swapping = False
                return True
            case _Order.RELOAD:
                self._reload.begin()
            case _Order.KEEP:
                self._keep()
            case _Order.SWAP:
                self._swapping = True
                return True
        return False

    def _keep(self) -> None:
        if self._reload.refused() and self._ready:
            self._notifier.ready(f"reload refused, see the log; {self._summary()}")

    def _able_to_work(self) -> bool:
        checked = all(watcher.checked for watcher in self._watchers)
        return checked and any(watcher.watching for watcher in self._watchers)

    def _feed(self) -> None:
        now_s = self._clock.monotonic()
        if self._watchdog_s is not None and now_s - self._fed_s >= self._watchdog_s / 2:
            self._notifier.alive()
            self._fed_s = now_s

    def _give_up(self, stalled: dict[str, float]) -> _Failure | None:
        now_s = self._clock.monotonic()
        self._stalled = {stage: self._stalled.get(stage, now_s) for stage in stalled}
        # systemd's watchdog also notices where this process cannot, but begins with READY=1.
        if self._end_on_stall_s is None or (self._ready and self._watchdog_s is not None):
            return None
        for stage, since_s in self._stalled.items():
            if now_s - since_s >= self._end_on_stall_s:
                log.critical(
                    "stage hangs: scopewatch ends, to be started again",
                    stage=stage,
                    silent_s=stalled[stage],
                )
                return _Failure(stage=stage, hung=True)
        return None

    def _report(self, stalled: dict[str, float]) -> None:
        if stalled and not self._stalled:
            log.error("stage makes no progress", silent_s=stalled)
        elif self._stalled and not stalled:
            log.warning("all stages make progress again")
        line = "; ".join((*self.condition().complaints, self._summary()))
        if not self._ready:
            self._notifier.starting(line, within_s=STARTING_S)
        elif line != self._last_line:
            self._notifier.status(line)
        self._last_line = line

    def _stop_all(self, started: list[Stage]) -> list[str]:
        """Stop what was started; the names of what did not end in time."""
        within_s = self._stop_within_s
        if self._swapping:
            within_s = max(within_s, RELOAD_STOP_WITHIN_S)
            self._notifier.alive()
        else:
            self._notifier.stopping()
        log.info("stopping", stages=len(started))
        late = stop_stages(started, self._clock, within_s)
        log.info("stopped", clean=not late)
        return late
