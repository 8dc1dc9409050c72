"""The real daemon over a watched folder, as an operator uses it."""

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon


def test_frames_dropped_into_a_folder_are_scored_once_each(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    daemon.start_ready()
    save(daemon.incoming / "P1_A1_s0_t0001_phase.tif", phase)
    save(daemon.incoming / "P1_A1_s0_t0001_gfp.tif", phase)
    # A slow writer: the file grows in three pieces.
    whole = (daemon.incoming / "P1_A1_s0_t0000_phase.tif").read_bytes()
    slow = daemon.incoming / "P1_A2_s0_t0001_phase.tif"
    with slow.open("wb", buffering=0) as file:
        for start in range(0, len(whole), len(whole) // 3 + 1):
            file.write(whole[start : start + len(whole) // 3 + 1])
            daemon.eventually(lambda: daemon.count("ready") == 1)
    daemon.eventually(lambda: len(daemon.frames()) == 4, within_s=20)
    daemon.eventually(lambda: "claimed" not in daemon.states().values())
    assert daemon.states() == {
        "P1_A1_s0_t0000_phase.tif": "done",
        "P1_A1_s0_t0001_phase.tif": "done",
        "P1_A1_s0_t0001_gfp.tif": "skipped",
        "P1_A2_s0_t0001_phase.tif": "done",
    }
    assert daemon.count("frame scored") == 3
    first = daemon.frames()[1]
    assert first.efficiency is not None
    assert first.overlay is not None
    with Image.open(daemon.state / "overlays" / first.overlay) as picture:
        assert picture.width >= 512
    answer = json.loads(daemon.ask("status", "--json").stdout)
    assert answer["counts"]["scored"] == 3
    assert [well["name"]["well"] for well in answer["wells"]] == ["A1", "A2"]
    assert daemon.end() == 0


def test_a_killed_daemon_continues_after_its_restart(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    for time_point in range(3):
        save(daemon.incoming / f"P1_A1_s0_t000{time_point}_phase.tif", phase)
    daemon.start()
    daemon.eventually(lambda: "done" in daemon.states().values(), within_s=90)
    daemon.end(signal.SIGKILL)
    save(daemon.incoming / "P1_A1_s0_t0003_phase.tif", phase)
    daemon.start()
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 4, within_s=30)
    with daemon.reader() as reader:
        assert reader.counts().scored == 4
        assert [point.time_point for point in reader.course(reader.wells()[0].name, 9)] == [
            0,
            1,
            2,
            3,
        ]
    assert not list(daemon.state.rglob("*.part"))


def test_ending_it_takes_less_than_five_seconds(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    for time_point in range(30):
        save(daemon.incoming / f"P1_A1_s0_t{time_point:04d}_phase.tif", phase)
    daemon.start()
    daemon.eventually(lambda: daemon.count("frame scored") >= 2, within_s=30)
    assert daemon.end(signal.SIGTERM, within_s=5) == 0
    # The current frame was finished: none is left claimed.
    assert set(daemon.states().values()) == {"done"}
    assert daemon.log_lines()[-1]["message"] == "stopped"
    assert daemon.log_lines()[-1]["event.clean"] is True


def test_a_second_daemon_over_the_same_state_is_refused(daemon: Daemon) -> None:
    daemon.start_ready()
    second = daemon.ask("run")
    assert second.returncode == 2
    assert (
        f"another scopewatch works in this state folder: {daemon.state};"
        " stop it first, or set another state.folder"
    ) in second.stderr.splitlines()


def test_a_folder_that_comes_late_is_watched_from_then_on(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    daemon.incoming.rmdir()
    daemon.start()
    daemon.eventually(lambda: daemon.count("source not watching") >= 1, within_s=30)
    assert daemon.count("ready") == 0
    daemon.incoming.mkdir()
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=20)
    daemon.eventually(lambda: daemon.count("ready") == 1)
    assert daemon.end() == 0


def test_a_port_that_is_taken_is_reported_in_one_line(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.settings["web"] = {"port": port}
        daemon.start()
        assert daemon.wait() == 2
    line = daemon.log_lines()[-1]["message"]
    assert line.startswith(f"the dashboard cannot listen: http://127.0.0.1:{port}/")


def test_systemd_is_notified_of_readiness_and_heartbeats(daemon: Daemon, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(30)
        daemon.start({"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"})
        heard: list[str] = []
        while heard.count("WATCHDOG=1") < 5:
            heard += systemd.recv(4096).decode().splitlines()
        assert heard.count("READY=1") == 1
        assert "STATUS=0 frames scored, 0 quarantined, 0 waiting" in heard
        assert daemon.end() == 0
        while "STOPPING=1" not in heard:
            heard += systemd.recv(4096).decode().splitlines()


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a webhook; yields its Apprise URL and the list of received posts."""
    posted: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://127.0.0.1:{server.server_address[1]}/hook", posted
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_weak_well_is_announced_with_its_picture(
    daemon: Daemon,
    phase: NDArray[np.uint16],
    save: Save,
    webhook: tuple[str, list[dict[str, Any]]],
    eventually: Callable[..., None],
) -> None:
    url, posted = webhook
    daemon.settings["alerts"] = {
        "rules": [{"name": "weak", "target": 0.99, "from_day": 0, "consecutive": 2}],
        "channels": [{"name": "hook", "url": url}],
    }
    daemon.start_ready()
    for time_point in range(3):
        save(daemon.incoming / f"P1_A1_s0_t000{time_point}_phase.tif", phase)
    eventually(lambda: posted, within_s=20)
    daemon.eventually(lambda: daemon.count("frame scored") == 3)
    assert daemon.end() == 0
    (message,) = posted
    assert message["title"].startswith("[SIMULATED] A1: weak now, ")
    trend, overlay = (attached["filename"] for attached in message["attachments"])
    assert trend == "trend-run-1-P1-A1.png"
    assert overlay.endswith(".jpg")
    with daemon.reader() as reader:
        (alert,) = reader.alerts(None, 9)
        assert [posting.state for posting in alert.postings] == ["delivered"]
    answer = daemon.ask("alert", "ack", str(alert.alert))
    assert answer.stdout == f"alert {alert.alert} is acknowledged\n"


def test_the_dashboard_runs_beside_it(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    daemon.settings["web"] = {"port": port}
    daemon.start_ready()
    answer = json.loads(daemon.ask("status", "--json").stdout)
    assert answer["daemon"] == {
        "healthy": True,
        "detail": [],
        "receivers": [],
        "pausing": "",
        "acquisitions": [],
        "running": True,
    }
    daemon.incoming.rmdir()
    daemon.eventually(
        lambda: json.loads(daemon.ask("status", "--json").stdout)["daemon"]["healthy"] is False,
        within_s=20,
    )
    assert daemon.end() == 0
