"""The state of the monitoring for `scopewatch status`, from the database and the dashboard."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from scopewatch.app.planning.acquisitions import Acquisition, list_acquisitions
from scopewatch.app.run_policy import standard_of
from scopewatch.app.run_states import RunStates
from scopewatch.config import Config
from scopewatch.config.secrets import find_token
from scopewatch.core.acquisition import JournalEntry
from scopewatch.core.errors import ModelError
from scopewatch.core.estimation.forecast_validation import RunReport, WellEnd, judge_run
from scopewatch.core.public_names import as_plain
from scopewatch.inference.bundle import load_bundle
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.notify.breaker import Circuit, Receiver
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.process.lock import is_held
from scopewatch.store.read.queries import Reader
from scopewatch.store.read.records import (
    AlertRow,
    ChannelRow,
    Counts,
    ReasonRow,
    RefusedRow,
    RunRow,
    WellRow,
)
from scopewatch.store.write.proposing import proposal_path

ANSWER_S = 2.0
MOST_REFUSED = 10
MOST_ALERTS = 200
MOST_ENTRIES = 5
_MOST_BYTES = 64 * 1024
_SHUT = (401, 429)


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
        Of the whole database; `run_counts` of each run that is watched now.
    refused
        The newest.
    reasons
        What is in quarantine or was missed of those runs, summed up.
    alerts
        Those that stand.
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


def read_status(config: Config, environ: Mapping[str, str]) -> Status:
    """Read the status. Raises StoreError where there are no results yet."""
    with closing(Reader.open(config.state.folder)) as reader:
        runs = tuple(reader.runs())
        daemon, states = _ask(config, environ)
        answers = daemon.healthy is not None
        daemon = replace(daemon, running=answers or is_held(config.state.folder))
        states = states or _assess_from_here(config, daemon, reader)
        return Status(
            daemon=daemon,
            states=states,
            simulated=config.experiment.simulated or any(run.simulated for run in runs),
            runs=runs,
            counts=reader.counts(),
            run_counts={each.run: reader.counts(each.run) for each in states},
            wells=tuple(reader.wells()),
            refused=tuple(reader.quarantined(None, MOST_REFUSED)),
            reasons=tuple(_sum_up(reader, [each.run for each in states])),
            channels=tuple(reader.channels()),
            alerts=tuple(reader.alerts(None, MOST_ALERTS, open_only=True)),
            measured=tuple(_measured(config, reader)),
            journal=tuple(reader.journal(config.experiment.name, MOST_ENTRIES)),
            acquisitions=list_acquisitions(config),
        )


def _assess_from_here(
    config: Config, daemon: DaemonState, reader: Reader
) -> tuple[RunStanding, ...]:
    """Assess the runs where the daemon gives no states: it may be stopped."""
    complaints = []
    if not daemon.running:
        complaints.append("the daemon does not run: no new frame is judged; start it")
        try:
            load_bundle(config.model.bundle)
        except ModelError as error:
            complaints.append(str(error))
    elif daemon.healthy is None and config.web.enabled and config.web.port:
        complaints.append(f"the daemon does not answer: {'; '.join(daemon.detail)}")
    states = RunStates(
        reader,
        config.experiment,
        clock=SystemClock(),
        target=standard_of(config).main_target,
        daemon=lambda: DaemonSeen(complaints=tuple(complaints)),
    )
    return tuple(
        RunStanding(
            run=each.run,
            level=each.state.level.value,
            cause=each.state.cause.value,
            sentence=str(each.state.sentence),
            advice=str(each.state.advice or ""),
            details=tuple(str(line) for line in each.state.details),
        )
        for each in states.current()
    )


def _sum_up(reader: Reader, runs: Sequence[str]) -> list[ReasonRow]:
    """Sum up the quarantine of some runs, the commonest reason first."""
    found: dict[str, ReasonRow] = {}
    for row in (row for run in runs for row in reader.reasons(run)):
        other = found.get(row.fault)
        if other is not None:
            newest = max(row, other, key=lambda each: each.at)
            row = replace(  # noqa: PLW2901 - the sum of both
                newest,
                count=row.count + other.count,
                asked_again=row.asked_again + other.asked_again,
            )
        found[row.fault] = row
    return sorted(found.values(), key=lambda each: (-each.count, each.fault))


def _measured(config: Config, reader: Reader) -> Iterator[MeasuredRun]:
    ends = reader.ends()
    errors = load_bundle(config.model.bundle).card.errors if ends else None
    for end in ends:
        path = proposal_path(config.state.folder, end.run)
        yield MeasuredRun(
            run=end.run,
            report=judge_run(end.wells, errors),
            wells=end.wells,
            proposal=str(path) if path.is_file() else None,
        )


def ask_daemon(config: Config, environ: Mapping[str, str]) -> DaemonState:
    """Ask the daemon's health check, on this machine only."""
    return _ask(config, environ)[0]


def _ask(config: Config, environ: Mapping[str, str]) -> tuple[DaemonState, tuple[RunStanding, ...]]:
    """Ask the daemon for its condition and the states of runs; none where it does not answer."""
    if not config.web.enabled or config.web.port == 0:
        return DaemonState(healthy=None, detail=("it has no dashboard at a fixed port",)), ()
    url = f"http://{config.web.here}:{config.web.port}/healthz"
    token = find_token(config, environ)
    try:
        answer = _get(url, token)
        # A daemon from before an upgrade does not answer all of it.
        given = dict(answer)
        state = DaemonState(
            healthy=bool(answer["healthy"]),
            detail=tuple(answer["detail"]),
            receivers=tuple(_receiver(each) for each in given.get("receivers", ())),
            pausing=str(given.get("pausing", "")),
            acquisitions=tuple(_acquisition(each) for each in given.get("acquisitions", ())),
        )
        return state, tuple(_standing(each) for each in given.get("runs", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return DaemonState(healthy=None, detail=(f"{url}: {getattr(error, 'reason', error)}",)), ()


def _standing(given: Mapping[str, Any]) -> RunStanding:
    return RunStanding(
        run=str(given["run"]),
        level=str(given["level"]),
        cause=str(given["cause"]),
        sentence=str(given["sentence"]),
        advice=str(given["advice"]),
        details=tuple(str(line) for line in given["details"]),
    )


def _acquisition(given: Mapping[str, Any]) -> AcquisitionStatus:
    focus = given["focus"]
    return AcquisitionStatus(
        source=str(given["source"]),
        time_points=int(given["time_points"]),
        next_time_point=given["next_time_point"],
        next_at=None if given["next_at"] is None else datetime.fromisoformat(given["next_at"]),
        held=str(given["held"]),
        focus="" if focus is None else _describe_focus(focus),
    )


def _describe_focus(given: Mapping[str, Any]) -> str:
    if given["time_point"] is None:
        return f"{given['method']}, not looked for yet"
    drift = "never found" if given["drift_um"] is None else f"drift {given['drift_um']:+.1f} um"
    failed = f", {given['failed']} failed ({given['reason']})" if given["failed"] else ""
    where = f"{given['focused']} positions found at time point {given['time_point']}"
    return f"{given['method']}: {drift}, {where}{failed}"


def _receiver(given: Mapping[str, Any]) -> Receiver:
    until = given["open_until"]
    return Receiver(
        channel=str(given["channel"]),
        circuit=Circuit(given["circuit"]),
        open_until=None if until is None else datetime.fromisoformat(until),
        failures=int(given["failures"]),
        error=str(given["error"]),
    )


def _get(url: str, token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http, see above
    # No proxy: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            return json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        if error.code in _SHUT:
            # It does answer, and may be well: only this call may not know.
            line = "it runs, but tells only who has web.token, which is not to be had here"
            raise OSError(line) from error
        # 503 is an answer as well: it says what is wrong.
        return json.loads(error.read(_MOST_BYTES))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not for JSON")
