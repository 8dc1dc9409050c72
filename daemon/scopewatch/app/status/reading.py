"""Reads the state of the monitoring, from the database and the dashboard."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from scopewatch.app.planning.acquisitions import list_acquisitions
from scopewatch.app.run_policy import standard_of
from scopewatch.app.run_states import RunStates
from scopewatch.app.shared.places import place_of
from scopewatch.app.status.asking import ask_daemon
from scopewatch.app.status.records import DaemonState, MeasuredRun, RunStanding, Status
from scopewatch.config import Config
from scopewatch.core.errors import ModelError
from scopewatch.core.estimation.forecast_validation import judge_run
from scopewatch.inference.bundle import load_bundle
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.process.lock import is_held
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.frames import sum_counts
from scopewatch.store.read.records.quarantine import ReasonRow, RefusedRow
from scopewatch.store.write.proposing import proposal_path

MOST_REFUSED = 10
MOST_ALERTS = 200
MOST_ENTRIES = 5


def read_status(config: Config, environ: Mapping[str, str], *, delivered: bool = False) -> Status:
    """Read the status.

    Parameters
    ----------
    delivered
        Whether to count the messages that each channel has taken.

    Raises
    ------
    StoreError
        Where there are no results yet.
    """
    with closing(Reader.open(place_of(config, environ))) as reader:
        runs = tuple(reader.runs())
        daemon, states = ask_daemon(config, environ)
        answers = daemon.healthy is not None
        daemon = replace(daemon, running=answers or is_held(config.state.folder))
        states = states or _assess_from_here(config, daemon, reader)
        # Of earlier runs only their names are read, however many they are.
        watched = [each.run for each in states]
        counts = {run: reader.counts(run) for run in watched}
        return Status(
            daemon=daemon,
            states=states,
            simulated=config.experiment.simulated or any(run.simulated for run in runs),
            runs=runs,
            counts=sum_counts(tuple(counts.values())),
            run_counts=counts,
            wells=tuple(row for run in watched for row in reader.wells(run)),
            refused=tuple(_newest_refused(reader, watched)),
            reasons=tuple(_sum_up(reader, watched)),
            channels=tuple(reader.channels(delivered=delivered)),
            alerts=tuple(
                reader.alerts(
                    None,
                    MOST_ALERTS,
                    open_only=True,
                    runs=dict.fromkeys((*watched, config.experiment.name)),
                )
            ),
            measured=tuple(_measured(config, reader, watched)),
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


def _newest_refused(reader: Reader, runs: Sequence[str]) -> list[RefusedRow]:
    """Return the newest of what could not be judged of some runs."""
    # Files that never became a frame are those of the run that was under way.
    rows = {
        (row.source, row.locator): row
        for run in runs
        for row in reader.quarantined(None, MOST_REFUSED, run=run)
    }
    return sorted(rows.values(), key=lambda row: row.at, reverse=True)[:MOST_REFUSED]


def _measured(config: Config, reader: Reader, runs: Sequence[str]) -> Iterator[MeasuredRun]:
    ends = [end for run in runs for end in reader.ends(run)]
    errors = load_bundle(config.model.bundle).card.errors if ends else None
    for end in ends:
        path = proposal_path(config.state.folder, end.run)
        yield MeasuredRun(
            run=end.run,
            report=judge_run(end.wells, errors),
            wells=end.wells,
            proposal=str(path) if path.is_file() else None,
        )
