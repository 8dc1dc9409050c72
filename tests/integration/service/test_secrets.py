"""A real daemon with a secret in every place writes none of them, whatever fails."""

import http.client
import json
import signal
import socket
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

TOKEN = "TOKEN-q8Zr3vQm1x"
PASSWORD = "PASSWORD-hunter2"
TOPIC = "TOPIC-4711-weak-wells"
PLAIN = "PLAIN-in-the-file"
UUID = "UUID-0f3c-77aa-12bd"
GUESS = "GUESS-of-a-stranger"
SECRETS = (TOKEN, PASSWORD, TOPIC, PLAIN, UUID, GUESS)


def ask(port: int, path: str, method: str = "GET", **sent: str) -> tuple[int, str]:
    """Ask the dashboard; return the status and the whole answer, headers included."""
    body = sent.pop("body", None)
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    try:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        return answer.status, f"{answer.msg}\n{answer.read().decode('utf-8', 'replace')}"
    finally:
        line.close()


def leaks(text: str | bytes) -> list[str]:
    """Return the secrets that a text contains."""
    content = text.encode() if isinstance(text, str) else text
    return [secret for secret in SECRETS if secret.encode() in content]


@pytest.mark.timeout(180)  # five processes, each of which loads every library
def test_nothing_the_daemon_writes_shows_a_secret(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, tmp_path: Path
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as probe,
        socket.create_server(("127.0.0.1", 0)) as gone,
    ):
        port, dead = probe.getsockname()[1], gone.getsockname()[1]
    given = tmp_path / "given"
    given.mkdir()
    (given / "beat").write_text(f"http://127.0.0.1:{dead}/{UUID}\n")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    daemon.settings["web"] = {"port": port, "token": f"file:{tmp_path / 'token'}"}
    daemon.settings["runtime"] |= {"log_level": "debug"}
    daemon.settings["logging"] = {"file": "scopewatch.log"}
    daemon.settings["alerts"] = {
        "rules": [{"name": "weak", "target": 0.99, "from_day": 0, "consecutive": 2}],
        "channels": [
            {"name": "hook", "url": "env:SW_HOOK"},
            {"name": "push", "url": "env:SW_PUSH"},
            {"name": "plain", "url": f"form://127.0.0.1:{dead}/{PLAIN}"},
        ],
        "heartbeat": {"url": "credential:beat", "every_min": 1},
        "retry_s": 1,
    }
    environ = {
        "SW_HOOK": f"json://lab:{PASSWORD}@127.0.0.1:{dead}/hook",
        "SW_PUSH": f"ntfy://127.0.0.1:{dead}/{TOPIC}",
        "CREDENTIALS_DIRECTORY": str(given),
    }
    for time_point in range(3):
        save(daemon.incoming / f"P1_A1_s0_t000{time_point}_phase.tif", phase)
    daemon.start(environ)

    def log() -> str:
        return daemon.log.read_text(encoding="utf-8") if daemon.log.exists() else ""

    daemon.eventually(lambda: "heartbeat was not heard" in log(), within_s=40)
    daemon.eventually(
        lambda: all(f"channel {name} (got " in log() for name in ("hook", "push", "plain")),
        within_s=40,
    )

    written = {}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/", "/alerts", "/quarantine", "/metrics", "/api/status.json", "/openapi.json"):
        status, written[path] = ask(port, path, **bearer)
        assert status == 200, path
    assert ask(port, "/metrics")[0] == 401
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    guess = urlencode({"password": GUESS})
    status, written["wrong token"] = ask(port, "/login", "POST", body=guess, **form)
    assert status == 401
    right = urlencode({"password": TOKEN})
    status, written["right token"] = ask(port, "/login", "POST", body=right, **form)
    assert status == 303
    # A person without the secrets can still ask for the state and what to do.
    for command in (("status", "--json"), ("check",)):
        answer = daemon.ask(*command)
        written[" ".join(command)] = answer.stdout + answer.stderr
    assert json.loads(written["status --json"])["daemon"]["healthy"] is not None
    assert "alerts.channels.plain.url stand in" in written["check"]
    tested = daemon.ask("alert", "test")
    written["alert test"] = tested.stdout + tested.stderr
    assert tested.returncode == 2
    assert daemon.end(signal.SIGTERM) == 0

    assert {name: leaks(text) for name, text in written.items() if leaks(text)} == {}
    assert leaks(log()) == []
    kept = [path for path in daemon.state.rglob("*") if path.is_file()]
    assert "scopewatch.db" in {path.name for path in kept}
    assert {path: leaks(path.read_bytes()) for path in kept if leaks(path.read_bytes())} == {}
    with daemon.reader() as reader:
        (alert,) = reader.alerts(None, 9)
        assert len(alert.postings) == 3
        assert all(posting.why for posting in alert.postings)


def test_a_secret_that_is_missing_ends_the_start_with_every_one_named(daemon: Daemon) -> None:
    daemon.settings["web"] = {"token": "env:SW_NOT_SET"}
    daemon.settings["alerts"] = {"channels": [{"name": "phone", "url": "credential:phone"}]}
    daemon.start()
    assert daemon.wait() == 2
    # A refused start loads the model as well, and the model runtime prints a line of its own.
    lines = [entry["message"] for entry in daemon.log_lines()]
    assert [line.partition(" (")[0] for line in lines] == [
        "secret cannot be read: alerts.channels.phone.url",
        "secret cannot be read: web.token",
    ]
