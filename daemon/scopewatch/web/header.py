"""The run that a page shows, and the header that all pages share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import HTTPException

from scopewatch.core.acquisition.standing import Held
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.errors import complaint
from scopewatch.core.estimation.forecast import first_day
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.state import Cause, State
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.runs_and_wells import Overview, WellRow
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.monitor_store import Facts
from scopewatch.web.plate import answered

MAX_OPEN = 500
# The state of a run already shows what these alerts of the monitor report.
SHOWN_BY_STATE = {Cause.NO_FRAMES: RuleKind.NO_FRAMES, Cause.DAEMON: RuleKind.SOURCE_DEAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Header of a page: the state of a run at a glance.

    Parameters
    ----------
    runs
        The names of all runs, the newest first.
    flagged
        Wells with a raised alert that nobody has acknowledged.
    answered
        How many more wells are flagged, but acknowledged.
    wider
        Open alerts of plates and of the monitor that nobody has answered, gravest first.
    held
        What holds time-lapses that scopewatch acquires.
    """

    facts: Facts
    run: str
    runs: tuple[str, ...]
    state: State
    targets: tuple[float, ...]
    counts: Counts
    waiting: int
    pausing: str
    health: Condition
    flagged: tuple[WellName, ...]
    answered: int
    wider: tuple[AlertRow, ...]
    now: datetime
    held: tuple[Held, ...] = ()

    @property
    def scale_checked(self) -> bool | None:
        """Whether the newest frame's pixel size was compared with the model's; None without one."""
        stated = self.counts.scale_stated
        return None if stated is None else stated and self.facts.um_per_px is not None

    @property
    def misses_scale(self) -> bool:
        """Whether the model expects a pixel size that the newest frame does not state."""
        return self.counts.scale_stated is False and self.facts.um_per_px is not None

    @property
    def first_forecast_day(self) -> float | None:
        """The first day with a forecast of the final one; None where there is none."""
        return first_day(self.facts.standard.table)

    @property
    def query(self) -> str:
        """What is added to the addresses of pages, so that they show this run."""
        asked = self.asking({})
        return f"?{asked}" if asked else ""

    def asking(self, values: Mapping[str, object]) -> str:
        """Return a query with these values that asks for this run; the first needs no asking."""
        named = {} if self.run == self.runs[0] else {"experiment": self.run}
        return urlencode({**values, **named})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The run that is shown, and the names of all, the newest first."""

    run: str
    names: tuple[str, ...]


def choose_run(context: DashboardContext, asked: str | None) -> Choice:
    """Return the run that is shown: the one asked for, or else the newest.

    Raises
    ------
    HTTPException
        404 where there is none of that name.
    """
    # The configured one is last where it has no frame yet.
    runs = (run.name for run in context.reader.runs())
    names = tuple(dict.fromkeys((*runs, context.facts.run)))
    if asked is None:
        return Choice(run=names[0], names=names)
    if asked not in names:
        raise HTTPException(
            status_code=404,
            detail=complaint("no such experiment", where=asked, do="see the plate page"),
        )
    return Choice(run=asked, names=names)


def alerts_of(context: DashboardContext, run: str) -> tuple[str, ...]:
    """Return the runs whose alerts a run shows: the monitor's are of the configured."""
    return tuple(dict.fromkeys((run, context.facts.run)))


def make_header(context: DashboardContext, choice: Choice, seen: Overview) -> Header:
    """Gather what every page of a run shows at its top."""
    run = choice.run
    now = context.clock.now()
    state = context.states.of(run)
    raised = [row for row in seen.wells if row.flags]
    flagged = [row.name for row in raised if any(not answered(flag, now) for flag in row.flags)]
    wider = context.reader.wider_alerts(MAX_OPEN, runs=alerts_of(context, run))
    return Header(
        facts=context.facts,
        run=run,
        runs=choice.names,
        state=state,
        targets=context.facts.standard.targets(run),
        counts=seen.counts,
        waiting=context.waiting(),
        pausing=context.pausing(),
        health=context.health(),
        flagged=tuple(flagged),
        answered=len(raised) - len(flagged),
        wider=_wider(wider, run, state, now),
        now=now,
        held=tuple(
            each.held
            for each in context.acquisitions()
            if each.held is not None and run == context.facts.run
        ),
    )


def find_well(rows: Sequence[WellRow], name: WellName, do: str) -> WellRow:
    """Return a well's row.

    Raises
    ------
    HTTPException
        404 where there is none; `do` says where to look instead.
    """
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise HTTPException(status_code=404, detail=complaint("no such well", where=name, do=do))
    return row


def _wider(rows: Sequence[AlertRow], run: str, state: State, now: datetime) -> tuple[AlertRow, ...]:
    shown = SHOWN_BY_STATE.get(state.cause)
    wider = [
        row
        for row in rows
        if row.kind is not shown
        and not answered(row, now)
        and (row.subject.plate is None or row.subject.run == run)
    ]
    return tuple(sorted(wider, key=lambda row: -row.severity.rank))
