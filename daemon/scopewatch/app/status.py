"""How the monitoring stands, for `scopewatch status`: from the database and the dashboard."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from scopewatch.config import Config
from scopewatch.config.secrets import find_token
from scopewatch.core.measured import RunReport, WellEnd, judge_run
from scopewatch.inference.bundle import load_bundle
from scopewatch.notify.breaker import Circuit, Receiver
from scopewatch.store.proposing import proposal_path
from scopewatch.store.queries import Reader
from scopewatch.store.records import AlertRow, ChannelRow, Counts, RefusedRow, RunRow, WellRow

ANSWER_S = 2.0
MOST_REFUSED = 10
MOST_ALERTS = 200
_MOST_BYTES = 64 * 1024
_SHUT = (401, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """What the daemon says of itself.

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
    """

    healthy: bool | None
    detail: tuple[str, ...]
    receivers: tuple[Receiver, ...] = ()
    pausing: str = ""

    @property
    def text(self) -> str:
        """One line for people."""
        if self.healthy is None:
            return f"does not answer ({'; '.join(self.detail)})"
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
    """The state of the monitoring; lists are bounded. `alerts` are those that stand."""

    daemon: DaemonState
    simulated: bool
    runs: tuple[RunRow, ...]
    counts: Counts
    wells: tuple[WellRow, ...]
    refused: tuple[RefusedRow, ...]
    channels: tuple[ChannelRow, ...]
    alerts: tuple[AlertRow, ...] = ()
    measured: tuple[MeasuredRun, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times are ISO 8601 in UTC, fractions 0 to 1."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return {"schema_version": 1, **plain}


def read_status(config: Config, environ: Mapping[str, str]) -> Status:
    """Read how things stand. Raises StoreError where there are no results yet."""
    with closing(Reader.open(config.state.folder)) as reader:
        runs = tuple(reader.runs())
        return Status(
            daemon=ask_daemon(config, environ),
            simulated=config.experiment.simulated or any(run.simulated for run in runs),
            runs=runs,
            counts=reader.counts(),
            wells=tuple(reader.wells()),
            refused=tuple(reader.refused(None, MOST_REFUSED)),
            channels=tuple(reader.channels()),
            alerts=tuple(reader.alerts(None, MOST_ALERTS, open_only=True)),
            measured=tuple(_measured(config, reader)),
        )


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
    if not config.web.enabled or config.web.port == 0:
        return DaemonState(healthy=None, detail=("it has no dashboard at a fixed port",))
    url = f"http://{config.web.here}:{config.web.port}/healthz"
    token = find_token(config, environ)
    try:
        answer = _get(url, token)
        return DaemonState(
            healthy=bool(answer["healthy"]),
            detail=tuple(answer["detail"]),
            # A daemon from before an upgrade does not say.
            receivers=tuple(_receiver(told) for told in dict(answer).get("receivers", ())),
            pausing=str(dict(answer).get("pausing", "")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        return DaemonState(healthy=None, detail=(f"{url}: {getattr(error, 'reason', error)}",))


def _receiver(told: Mapping[str, Any]) -> Receiver:
    until = told["open_until"]
    return Receiver(
        channel=str(told["channel"]),
        circuit=Circuit(told["circuit"]),
        open_until=None if until is None else datetime.fromisoformat(until),
        failures=int(told["failures"]),
        error=str(told["error"]),
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
