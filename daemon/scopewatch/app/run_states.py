"""The states of the runs, from facts of the database and the daemon, and their log."""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from scopewatch.app.run_policy import policy_of, standard_of
from scopewatch.config import Config, RunConfig
from scopewatch.core.clock import Clock
from scopewatch.core.errors import StoreError
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import named_wells
from scopewatch.monitoring.run_facts import DaemonSeen, RunFacts, RunSeen
from scopewatch.monitoring.run_state import assess
from scopewatch.monitoring.state import Cause, Level, RunState, State, database_away
from scopewatch.runtime.clock import ClockWatch
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.records.runs_and_wells import RunRow

log = get_logger(__name__)

# A run without a frame for longer is not watched any more, unless it is the newest.
ACTIVE: Final = timedelta(days=3)
MOST_RUNS: Final = 8
LOOK_S: Final = 10.0
MOST_CLOCK_SETS: Final = 8


class RunReader(Protocol):
    """The part of the database that the states follow from. Each method may raise StoreError."""

    def runs(self) -> Sequence[RunRow]:
        """Return the runs, the newest first."""
        ...

    def active_runs(self, since: datetime) -> Sequence[str]:
        """Return the runs of which a frame was settled after a moment, the newest first."""
        ...

    def run_seen(self, name: str, *, recent: timedelta, now: datetime) -> RunSeen:
        """Return what is known of a run."""
        ...


def make_states(
    config: Config,
    reader: RunReader,
    clock: Clock,
    *,
    condition: Callable[[], Condition],
    waiting: Callable[[], int],
    pausing: Callable[[], str],
) -> "RunStates":
    """Make the states of the runs that a daemon watches from now on."""
    started_at = clock.now()

    def daemon() -> DaemonSeen:
        how = condition()
        return DaemonSeen(
            ready=how.ready,
            complaints=how.complaints,
            waiting=waiting(),
            pausing=pausing(),
            started_at=started_at,
        )

    return RunStates(
        reader,
        config.experiment,
        clock=clock,
        target=standard_of(config).main_target,
        daemon=daemon,
    )


def _no_target(_run: str) -> None:
    return None


def _nobody() -> DaemonSeen:
    return DaemonSeen()


class RunStates:
    """Assesses runs whenever it is asked; safe to share by threads.

    Parameters
    ----------
    target
        The efficiency that the wells of a run should reach; None where no rule sets one.
    daemon
        How the daemon is; quick, and must not raise.
    """

    def __init__(
        self,
        reader: RunReader,
        run: RunConfig,
        *,
        clock: Clock,
        target: Callable[[str], float | None] = _no_target,
        daemon: Callable[[], DaemonSeen] = _nobody,
    ) -> None:
        self._reader = reader
        self._run = run.name
        self._policy = policy_of(run)
        self._named_wells = tuple(
            name for patterns in run.well_groups.values() for name in named_wells(patterns)
        )
        self._clock = clock
        self._target = target
        self._daemon = daemon
        self._clock_sets: deque[tuple[datetime, timedelta]] = deque(maxlen=MOST_CLOCK_SETS)

    def apart_from_daemon(self) -> "RunStates":
        """Return the states without those of the daemon, whose complaints appear elsewhere."""
        apart = copy(self)
        apart._daemon = lambda: replace(self._daemon(), ready=True, complaints=())
        return apart

    def daemon(self) -> DaemonSeen:
        """Return how the daemon is."""
        return self._daemon()

    def of(self, run: str) -> State:
        """Return the state of a run. Raises StoreError."""
        return self._assess(self._see(run))

    def current(self) -> tuple[RunState, ...]:
        """Return the states of the runs that are watched now, the newest first; never raises.

        Those that had a frame lately, or else the newest; and the configured one, when it has none
        yet and no other goes on.
        """
        try:
            return tuple(self._current())
        except StoreError as error:
            return (RunState(run=self._run, state=database_away(str(error))),)

    def over(self) -> bool:
        """Return whether all runs are finished, so that no frame is due; never raises."""
        return all(each.state.level is Level.FINISHED for each in self.current())

    def clock_was_set(self, by_s: float) -> None:
        """Note that the time of day was set: earlier records are shifted with it."""
        self._clock_sets.append((self._clock.now(), timedelta(seconds=by_s)))

    def condition(self, daemon: Condition) -> Condition:
        """Return the condition of the daemon, with the runs of which nothing is judged."""
        failing = [
            f"{each.run}: {each.state.sentence}"
            for each in self.apart_from_daemon().current()
            if each.state.level is Level.FAILING
        ]
        return Condition(ready=daemon.ready, complaints=(*daemon.complaints, *failing))

    def _current(self) -> list[RunState]:
        names = [run.name for run in self._reader.runs()]
        active = self._reader.active_runs(self._clock.now() - ACTIVE)[:MOST_RUNS]
        shown = [RunState(run=run, state=self.of(run)) for run in active or names[:1]]
        over = all(each.state.level is Level.FINISHED for each in shown)
        if over and self._run not in names:
            # The next run is awaited; for how long is nobody's affair but in an empty database.
            state = self._assess(self._see(self._run), awaited=not names)
            shown.append(RunState(run=self._run, state=state))
        return shown

    def _see(self, run: str) -> RunSeen:
        now = self._clock.now()
        seen = self._reader.run_seen(run, recent=self._policy.recent, now=now)
        if not self._clock_sets:
            return seen
        wells = tuple(well.moved(lambda at: self._as_set_now(at, now)) for well in seen.wells)
        return replace(seen, wells=wells)

    def _as_set_now(self, at: datetime, now: datetime) -> datetime:
        """Return when something was by the clock as it is set now.

        Set forward, what was before is known by its time; set back, only what is later than now.
        """
        for set_at, by in self._clock_sets.copy():
            if at < set_at if by > timedelta() else at > now:
                at += by
        return at

    def _assess(self, run: RunSeen, *, awaited: bool = True) -> State:
        daemon = self._daemon()
        if not awaited:
            daemon = replace(daemon, waiting=0, started_at=None)
        return assess(
            RunFacts(
                now=self._clock.now(),
                policy=self._policy,
                run=run,
                daemon=daemon,
                target=self._target(run.name),
                named_wells=self._named_wells if run.name == self._run else (),
            )
        )


class StateLog:
    """Writes into the log when the state of a run changes.

    Trouble is logged once it is seen twice in a row: a state may pass between two frames.
    """

    def __init__(self, states: RunStates, clock: Clock) -> None:
        self._states = states.apart_from_daemon()
        self._clock_watch = ClockWatch(clock)
        self._seen: dict[str, Cause] = {}
        self._logged: dict[str, Cause] = {}

    def look(self) -> None:
        """Look once; the schedule calls it."""
        by_s = self._clock_watch.set_by_s()
        if by_s:
            self._states.clock_was_set(by_s)
        current = self._states.current()
        before, self._seen = self._seen, {each.run: each.state.cause for each in current}
        for each in current:
            state = each.state
            if state.needs_somebody:
                if before.get(each.run) is state.cause:
                    self._tell_trouble(each)
            elif state.level in (Level.CLEAR, Level.FINISHED):
                self._tell_end(each)
        self._logged = {run: cause for run, cause in self._logged.items() if run in self._seen}

    def _tell_trouble(self, each: RunState) -> None:
        state = each.state
        if self._logged.get(each.run) is state.cause:
            return
        self._logged[each.run] = state.cause
        event = {
            "run": each.run,
            "level": state.level.value,
            "cause": state.cause.value,
            "state": str(state.sentence),
            "advice": str(state.advice or ""),
            "details": [str(line) for line in state.details],
        }
        log.warning("no all-clear for the run", **event)

    def _tell_end(self, each: RunState) -> None:
        cause = each.state.cause
        event = {
            "run": each.run,
            "state": str(each.state.sentence),
            "details": [str(line) for line in each.state.details],
        }
        before = self._logged.get(each.run, Cause.JUDGED)
        if cause is Cause.FINISHED and before is not cause:
            log.info("run is finished", **event)
        elif before is not cause:
            log.info("every well is judged again", **event)
        self._logged[each.run] = cause
