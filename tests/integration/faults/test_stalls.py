"""A stage hangs in native code: the process ends, starts again, and loses no frame."""

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.hanging import HangingModel, HangingShare

NAMES = [f"P1_A1_s0_t{index:04d}_phase.tif" for index in range(4)]
STALL_S = 5.0
WATCHDOG_S = 4.0
# Seconds that a busy machine may add to the promised time.
LATE_S = 4.0
WITHIN_S = 60.0

# Two starts each, and a stall has to be detected.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def model(tmp_path: Path) -> HangingModel:
    return HangingModel(tmp_path)


@pytest.fixture
def share(tmp_path: Path) -> HangingShare:
    return HangingShare(tmp_path)


class Systemd:
    """Plays systemd: records what the daemon notifies, and when."""

    def __init__(self, folder: Path) -> None:
        self.address = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.address))
        self.environ = {
            "NOTIFY_SOCKET": str(self.address),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "PYTHONFAULTHANDLER": "1",
        }

    def close(self) -> None:
        self._socket.close()

    def hear(self, within_s: float) -> list[str]:
        """Return the lines of the next message; none when none comes in time."""
        self._socket.settimeout(within_s)
        try:
            return self._socket.recv(4096).decode().splitlines()
        except TimeoutError:
            return []

    def wait_for(self, line: str, within_s: float = WITHIN_S) -> None:
        """Return once a line was heard."""
        ends_at = time.monotonic() + within_s
        while line not in self.hear(max(0.01, ends_at - time.monotonic())):
            assert time.monotonic() < ends_at, f"no {line}"

    def keep_watch(self, within_s: float) -> float:
        """Return the seconds until the watchdog was no longer fed, its own time included."""
        began = fed = time.monotonic()
        while (left_s := fed + WATCHDOG_S - time.monotonic()) > 0:
            if "WATCHDOG=1" in self.hear(left_s):
                fed = time.monotonic()
            assert fed - began < within_s, "the watchdog is fed by a daemon that hangs"
        return time.monotonic() - began


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path)
    yield systemd
    systemd.close()


def test_without_systemd_a_daemon_that_hangs_ends_with_its_own_status(
    daemon: Daemon, model: HangingModel, phase: NDArray[np.uint16], save: Save
) -> None:
    daemon.settings["runtime"] |= {"stall_s": STALL_S, "end_on_stall_s": 1}
    daemon.start_ready(model.environ, WITHIN_S)
    hang_in_the_second(daemon, model, phase, save)
    # The stages that do not hang have 4.5 s to end in order.
    assert daemon.wait(STALL_S + 1 + 4.5 + LATE_S) == 3
    (line,) = (entry for entry in daemon.log_lines() if entry.get("level") == "critical")
    assert line["message"] == "stage hangs: scopewatch ends, to be started again"
    assert line["event.stage"] == "worker"
    # The log shows where it hangs, too.
    assert "hang_once" in daemon.log.read_text(encoding="utf-8")
    daemon.start_ready(model.environ, WITHIN_S)
    expect_all_scored(daemon)
    assert daemon.end() == 0


def test_systemd_sees_a_hang_in_time_and_its_restart_repeats_one_frame(
    daemon: Daemon, model: HangingModel, systemd: Systemd, phase: NDArray[np.uint16], save: Save
) -> None:
    daemon.settings["runtime"] |= {"stall_s": STALL_S, "end_on_stall_s": 1}
    environ = model.environ | systemd.environ
    daemon.start(environ)
    systemd.wait_for("READY=1")
    systemd.wait_for("WATCHDOG=1")
    hang_in_the_second(daemon, model, phase, save)
    took_s = systemd.keep_watch(STALL_S + LATE_S)
    assert took_s < STALL_S + WATCHDOG_S + LATE_S
    assert daemon.process is not None
    assert daemon.process.poll() is None, "systemd ends it, not the daemon itself"
    ended = daemon.end(signal.SIGABRT)
    # CPython writes the stacks while other threads run, and sometimes crashes over it
    # (python/cpython issue 116008): systemd restarts the daemon after either signal.
    assert ended in (-signal.SIGABRT, -signal.SIGSEGV)
    if ended == -signal.SIGABRT:
        assert "hang_once" in daemon.log.read_text(encoding="utf-8")
    daemon.start(environ)
    systemd.wait_for("READY=1")
    expect_all_scored(daemon)
    systemd.wait_for("WATCHDOG=1")
    assert daemon.end() == 0
    systemd.wait_for("STOPPING=1")


def test_a_start_that_hangs_ends_itself_since_the_watchdog_has_not_begun(
    daemon: Daemon, share: HangingShare, systemd: Systemd, phase: NDArray[np.uint16], save: Save
) -> None:
    daemon.settings["runtime"] |= {"stall_s": STALL_S, "end_on_stall_s": 1}
    # Longer than such a process runs after its first check of the sources.
    daemon.settings["alerts"] = {
        "rules": [{"name": "dead", "kind": "source-dead", "minutes": 0.1, "critical_minutes": None}]
    }
    for name in NAMES:
        save(daemon.incoming / name, phase)
    for _ in range(2):
        daemon.start(share.environ | systemd.environ)
        assert daemon.wait(WITHIN_S) == 3
    hung = [entry for entry in daemon.log_lines() if entry.get("level") == "critical"]
    assert [entry["event.stage"] for entry in hung] == ["source folder"] * 2
    assert "hang_at_start" in daemon.log.read_text(encoding="utf-8")
    assert daemon.count("ready") == 0
    (evidence,) = read(daemon, "SELECT evidence FROM alerts WHERE resolved_at IS NULL")
    assert "its start has not ended yet" in evidence
    share.come_back()
    daemon.start(share.environ | systemd.environ)
    systemd.wait_for("READY=1")
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 4, within_s=WITHIN_S)
    assert daemon.end() == 0


def hang_in_the_second(
    daemon: Daemon, model: HangingModel, phase: NDArray[np.uint16], save: Save
) -> None:
    save(daemon.incoming / NAMES[0], phase)
    daemon.eventually(lambda: daemon.states().get(NAMES[0]) == "done", within_s=WITHIN_S)
    model.hang_next()
    for name in NAMES[1:]:
        save(daemon.incoming / name, phase)
    daemon.eventually(lambda: model.met, within_s=WITHIN_S)


def expect_all_scored(daemon: Daemon) -> None:
    """Assert that all frames are scored in the end, one of them at its second attempt."""
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 4, within_s=WITHIN_S)
    assert daemon.count("frame scored") == 4
    assert read(daemon, "SELECT attempts FROM frames ORDER BY attempts") == [1, 1, 1, 2]


def read(daemon: Daemon, statement: str) -> list[Any]:
    """Return one column of the database."""
    with closing(sqlite3.connect(f"file:{daemon.state}/scopewatch.db?mode=ro", uri=True)) as ledger:
        return [value for (value,) in ledger.execute(statement)]
