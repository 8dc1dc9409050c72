"""How the monitoring stands, for `scopewatch status`: from the database and the dashboard."""

import json
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from scopewatch.config import Config
from scopewatch.store.queries import Reader
from scopewatch.store.records import ChannelRow, Counts, RefusedRow, RunRow, WellRow

ANSWER_S = 2.0
MOST_REFUSED = 10
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """What the daemon says of itself.

    Parameters
    ----------
    healthy
        None when it does not answer: it may be stopped, or run without a dashboard.
    detail
        One line for each thing that is wrong.
    """

    healthy: bool | None
    detail: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line for people."""
        if self.healthy is None:
            return f"does not answer ({'; '.join(self.detail)})"
        return "running" if self.healthy else f"running, but: {'; '.join(self.detail)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of the monitoring; lists are bounded."""

    daemon: DaemonState
    simulated: bool
    runs: tuple[RunRow, ...]
    counts: Counts
    wells: tuple[WellRow, ...]
    refused: tuple[RefusedRow, ...]
    channels: tuple[ChannelRow, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; times are ISO 8601 in UTC, fractions 0 to 1."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return {"schema_version": 1, **plain}


def read_status(config: Config) -> Status:
    """Read how things stand. Raises StoreError where there are no results yet."""
    with closing(Reader.open(config.state.folder)) as reader:
        runs = tuple(reader.runs())
        return Status(
            daemon=ask_daemon(config),
            simulated=config.experiment.simulated or any(run.simulated for run in runs),
            runs=runs,
            counts=reader.counts(),
            wells=tuple(reader.wells()),
            refused=tuple(reader.refused(None, MOST_REFUSED)),
            channels=tuple(reader.channels()),
        )


def ask_daemon(config: Config) -> DaemonState:
    """Ask the daemon's health check, on this machine only."""
    if not config.web.enabled or config.web.port == 0:
        return DaemonState(healthy=None, detail=("it has no dashboard at a fixed port",))
    host = f"[{config.web.host}]" if ":" in config.web.host else config.web.host
    url = f"http://{host}:{config.web.port}/healthz"
    try:
        answer = _get(url)
        return DaemonState(healthy=bool(answer["healthy"]), detail=tuple(answer["detail"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return DaemonState(healthy=None, detail=(f"{url}: {getattr(error, 'reason', error)}",))


def _get(url: str) -> Any:
    # No proxy: it is this machine that is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_S) as answer:
            return json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        # 503 is an answer as well: it says what is wrong.
        return json.loads(error.read(_MOST_BYTES))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not for JSON")
