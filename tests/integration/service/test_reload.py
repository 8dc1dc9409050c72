"""SIGHUP to a real daemon: a good configuration takes effect, a bad one changes nothing."""

import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

# The monitor raises its alerts every 15 s.
pytestmark = pytest.mark.timeout(240)
TURN_S = 45.0
# Some seconds on an idle machine, more on a busy one.
WITHIN_S = 60.0


def name(time_point: int) -> str:
    return f"P1_A1_s0_t{time_point:04d}_phase.tif"


def reload(daemon: Daemon) -> None:
    daemon.config.write_text(yaml.safe_dump(daemon.settings), encoding="utf-8")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)


def scored(daemon: Daemon, time_points: int) -> None:
    daemon.eventually(
        lambda: list(daemon.states().values()) == ["done"] * time_points, within_s=WITHIN_S
    )


def standing(daemon: Daemon) -> dict[str, str]:
    """Return the rule of each open alert, and what it was raised on."""
    with daemon.reader() as reader:
        return {row.rule: row.evidence.detail for row in reader.alerts(None, 9, open_only=True)}


def why(daemon: Daemon) -> list[str]:
    log_lines = daemon.log_lines()
    return [entry["event.why"] for entry in log_lines if entry["message"] == "reload refused"]


def picture_px(daemon: Daemon, time_point: int) -> int:
    (frame,) = (frame for frame in daemon.frames() if frame.locator.endswith(name(time_point)))
    assert frame.overlay is not None
    with Image.open(daemon.state / "overlays" / frame.overlay) as picture:
        return max(picture.size)


@contextmanager
def listen(address: Path) -> Iterator[list[str]]:
    """Receive notifications as systemd does; yields the lines received so far."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))

        # Read all the time, as systemd does: an unread socket holds only ten messages.
        def hear() -> None:
            while message := systemd.recv(4096):
                heard.extend(message.decode().splitlines())

        ear = threading.Thread(target=hear)
        ear.start()
        try:
            yield heard
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.sendto(b"", str(address))
            ear.join()


def test_a_reload_acts_and_loses_no_frame_while_files_keep_arriving(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, tmp_path: Path
) -> None:
    address = tmp_path / "notify"
    with listen(address) as heard:
        daemon.settings["web"] = {"port": _free_port()}
        daemon.start_ready({"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "60000000"}, WITHIN_S)
        assert daemon.process is not None
        pid = daemon.process.pid
        save(daemon.incoming / name(0), phase)
        daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=WITHIN_S)
        daemon.settings["overlays"] = {"max_px": 128}
        reload(daemon)
        written, pace = 1, threading.Event()
        while daemon.count("ready") < 2 and written < 16:
            save(daemon.incoming / name(written), phase)
            written += 1
            # Frames arrive before, during and after the change, as from a microscope.
            pace.wait(0.4)
        daemon.eventually(lambda: daemon.count("ready") == 2, within_s=WITHIN_S)
        save(daemon.incoming / name(written), phase)
        scored(daemon, written + 1)
        assert picture_px(daemon, written) < picture_px(daemon, 0)
        (entry,) = (e for e in daemon.log_lines() if e["message"] == "configuration taken up")
        assert entry["event.changed"] == "overlays"
        # Each once: the current frame was finished, the others waited on disk.
        assert daemon.count("frame scored") == written + 1
        assert daemon.end() == 0
        assert daemon.process.pid == pid
        daemon.eventually(lambda: "STOPPING=1" in heard, within_s=WITHIN_S)
    states = [line for line in heard if line in {"READY=1", "RELOADING=1", "STOPPING=1"}]
    assert states == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


def test_a_bad_configuration_or_model_changes_nothing_and_is_an_alert_until_all_is_well(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, bundle: Path, tmp_path: Path
) -> None:
    rule = {"name": "reload", "kind": "reload-refused"}
    daemon.settings["alerts"] = {"rules": [rule]}
    daemon.start_ready(within_s=WITHIN_S)
    good: dict[str, Any] = yaml.safe_load(daemon.config.read_text(encoding="utf-8"))

    daemon.settings["runtime"] = daemon.settings["runtime"] | {"max_attempts": 0}
    daemon.settings["wat"] = 1
    reload(daemon)
    daemon.eventually(lambda: len(why(daemon)) == 2, within_s=WITHIN_S)
    assert [line.split(": ")[0] for line in why(daemon)] == [
        "Input should be greater than or equal to 1",
        "unknown key",
    ]
    save(daemon.incoming / name(0), phase)
    scored(daemon, 1)
    daemon.eventually(lambda: "wat" in standing(daemon).get("reload", ""), within_s=TURN_S)

    # A partly copied bundle.
    broken = tmp_path / "broken"
    shutil.copytree(bundle, broken)
    model = broken / "model.tflite"
    model.write_bytes(model.read_bytes()[:-100])
    daemon.settings = good | {"model": {"bundle": str(broken), "threads": 1}}
    reload(daemon)
    daemon.eventually(lambda: len(why(daemon)) == 3, within_s=WITHIN_S)
    assert str(broken) in why(daemon)[2]
    save(daemon.incoming / name(1), phase)
    scored(daemon, 2)
    # The configuration is readable, so the command line reports it too.
    assert "warning: run 1: reload: " in daemon.ask("status").stdout
    assert daemon.count("ready") == 1

    # Another complete bundle.
    moved = tmp_path / "moved"
    shutil.copytree(bundle, moved)
    daemon.settings = good | {"model": {"bundle": str(moved), "threads": 1}}
    reload(daemon)
    daemon.eventually(lambda: daemon.count("ready") == 2, within_s=WITHIN_S)
    daemon.eventually(lambda: standing(daemon) == {}, within_s=TURN_S)
    save(daemon.incoming / name(2), phase)
    scored(daemon, 3)
    assert daemon.end() == 0


def test_a_checked_configuration_that_still_cannot_start_is_replaced_by_the_old_one(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        daemon.start_ready(within_s=WITHIN_S)
        daemon.settings["web"] = {"port": taken.getsockname()[1]}
        reload(daemon)
        daemon.eventually(lambda: daemon.count("ready") == 2, within_s=WITHIN_S)
    (line,) = why(daemon)
    assert line.startswith("the dashboard cannot listen: ")
    save(daemon.incoming / name(0), phase)
    scored(daemon, 1)
    # The port is free now.
    reload(daemon)
    daemon.eventually(lambda: daemon.count("ready") == 3, within_s=WITHIN_S)
    daemon.eventually(lambda: daemon.count("dashboard is served") == 1)
    assert daemon.end() == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
