"""Asks the daemon on this machine about its condition, through the dashboard's health check."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scopewatch.app.status.records import AcquisitionStatus, DaemonState, RunStanding
from scopewatch.config import Config
from scopewatch.config.secrets import find_token
from scopewatch.notify.breaker import Circuit, Receiver

ANSWER_S = 2.0
_MOST_BYTES = 64 * 1024
_SHUT = (401, 429)


def ask_daemon(
    config: Config, environ: Mapping[str, str]
) -> tuple[DaemonState, tuple[RunStanding, ...]]:
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
            acquisitions=tuple(parse_acquisition(each) for each in given.get("acquisitions", ())),
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


def parse_acquisition(given: Mapping[str, Any]) -> AcquisitionStatus:
    """Read the state of a time-lapse as the health check gives it."""
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
