"""The state of the monitoring, as `scopewatch status` shows it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scopewatch.app.planning.acquisitions import Acquisition
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.estimation.forecast_validation import RunReport, WellEnd
from scopewatch.core.public_names import as_plain
from scopewatch.notify.breaker import Receiver
from scopewatch.store.read.records.alerts import AlertRow, ChannelRow
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.read.records.runs_and_wells import RunRow, WellRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStanding:
    """The state of a run in words: see `monitoring.state.State`."""

    run: str
    level: str
    cause: str
    sentence: str
    advice: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionStatus:
    """The state of a time-lapse, as the daemon reports it.

    Parameters
    ----------
    next_at
        None where no time point is left.
    held
        Why nothing is acquired for now; '' where it goes on.
    focus
        One line; '' where it is not looked for.
    """

    source: str
    time_points: int
    next_time_point: int | None
    next_at: datetime | None
    held: str
    focus: str

    @property
    def text(self) -> str:
        """One line for people."""
        if self.next_time_point is None:
            when = f"no time point of {self.time_points} is left"
        else:
            when = f"next time point {self.next_time_point} of {self.time_points}"
            when += f", at {self.next_at:%Y-%m-%d %H:%M} UTC" if self.next_at else ""
        return "; ".join(filter(None, (self.held, when, self.focus and f"focus: {self.focus}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """What the daemon answers about itself.

    Parameters
    ----------
    healthy
        None when it does not answer: it may be stopped, or run without a dashboard.
    detail
        One line for each thing that is wrong.
    receivers
        How the receivers of alerts answer; none where it does not say.
    pausing
        Why no frame is scored at the moment though all is well; '' otherwise.
    acquisitions
        How the time-lapses stand that it acquires.
    running
        Whether a daemon works in the state folder; None where that is not known.
    """

    healthy: bool | None
    detail: tuple[str, ...]
    receivers: tuple[Receiver, ...] = ()
    pausing: str = ""
    acquisitions: tuple[AcquisitionStatus, ...] = ()
    running: bool | None = None

    @property
    def text(self) -> str:
        """One line for people."""
        if self.healthy is None:
            how = {
                True: "runs, and cannot be asked",
                False: "does not run",
                None: "does not answer",
            }
            return f"{how[self.running]} ({'; '.join(self.detail)})"
        if self.healthy:
            return f"running; {self.pausing}" if self.pausing else "running"
        return f"running, but: {'; '.join(self.detail)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """A run that fluorescence measured, against the promise of the model's card.

    Parameters
    ----------
    proposal
        The file that proposes recalibration; None where none is proposed.
    """

    run: str
    report: RunReport
    wells: tuple[WellEnd, ...]
    proposal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of the monitoring; lists are bounded.

    Parameters
    ----------
    states
        The states of the runs that are watched now, the newest first.
    counts
        Of the runs that are watched now together; `run_counts` of each of them.
    wells, measured
        Of those runs.
    refused
        The newest of those runs.
    reasons
        What is in quarantine or was missed of those runs, summed up.
    alerts
        Those of these runs and of the monitor that stand.
    journal
        The newest of what was done to the time-lapse that scopewatch acquires, oldest first.
    acquisitions
        How far those are that scopewatch runs itself, and what is still to come of them.
    """

    daemon: DaemonState
    states: tuple[RunStanding, ...]
    simulated: bool
    runs: tuple[RunRow, ...]
    counts: Counts
    run_counts: dict[str, Counts]
    wells: tuple[WellRow, ...]
    refused: tuple[RefusedRow, ...]
    reasons: tuple[ReasonRow, ...]
    channels: tuple[ChannelRow, ...]
    alerts: tuple[AlertRow, ...] = ()
    measured: tuple[MeasuredRun, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    acquisitions: tuple[Acquisition, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times are ISO 8601 in UTC, fractions 0 to 1."""
        plain: dict[str, Any] = json.loads(json.dumps(as_plain(self), default=_plain))
        return {"schema_version": 1, **plain}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not for JSON")
