"""The disk fills up, or another program holds the database: the daemon goes on and catches up."""

import json
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.full_disk import fill, small_file_system

SMALL_MB = 12


@pytest.fixture
def small_disk(daemon: Daemon) -> Iterator[Path]:
    """Put the state folder on a file system of its own of a few megabytes."""
    daemon.state.mkdir()
    with small_file_system(daemon.state, SMALL_MB):
        yield daemon.state
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait(10)


def pad(path: Path) -> None:
    """Fill the rest of the last page of a file on a full disk."""
    with path.open("ab", buffering=0) as file:
        for _ in range(1 << 13):
            try:
                file.write(b"\n")
            except OSError:
                return
    raise AssertionError("the disk is not full")


def status(daemon: Daemon) -> Any:
    """Return the output of `scopewatch status`; its health is that of the dashboard's header."""
    return json.loads(daemon.ask("status", "--json").stdout)


def score_first(daemon: Daemon, save: Save, pixels: NDArray[np.uint16]) -> None:
    """Start the daemon and let it score a first frame."""
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", pixels)
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=20)


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Lock the database as another writing program does."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_full_disk_is_outlasted_and_raw_data_is_left_alone(
    daemon: Daemon, small_disk: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        daemon.settings["web"] = {"port": probe.getsockname()[1]}
    daemon.settings["alerts"] = {
        "rules": [{"name": "disk", "kind": "disk-low", "free_gb": 1, "critical_free_gb": None}]
    }
    log_file = small_disk / "logs/scopewatch.log"
    daemon.settings["logging"] = {"file": "logs/scopewatch.log"}
    score_first(daemon, save, phase)

    ballast = fill(small_disk)
    pad(log_file)
    for time_point in range(1, 5):
        save(daemon.incoming / f"P1_A1_s0_t000{time_point}_phase.tif", phase)
    raw = {path.name: path.read_bytes() for path in daemon.incoming.iterdir()}
    daemon.eventually(lambda: daemon.count("step failed") >= 2, within_s=20)
    assert daemon.process is not None
    assert daemon.process.poll() is None
    assert daemon.count("frame scored") == 1
    answer = status(daemon)
    assert answer["daemon"]["healthy"] is False
    assert daemon.count("log file cannot be written") == 1
    assert "is repeated" in answer["daemon"]["detail"][0]
    assert "check free space" in answer["daemon"]["detail"][0]
    assert [alert["rule"] for alert in answer["alerts"]] == ["disk"]

    ballast.unlink()
    daemon.eventually(lambda: daemon.count("frame scored") == 5, within_s=50)
    daemon.eventually(lambda: status(daemon)["daemon"]["healthy"])
    assert daemon.count("log file is written again") == 1
    *_, last = log_file.read_text(encoding="utf-8").splitlines()
    assert json.loads(last) in daemon.log_lines()
    assert set(daemon.states().values()) == {"done"}
    assert {path.name: path.read_bytes() for path in daemon.incoming.iterdir()} == raw

    # The stop is clean even where it cannot be recorded.
    ballast = fill(small_disk)
    assert daemon.end() == 0
    assert daemon.count("orderly end cannot be recorded") == 1
    ballast.unlink()
    assert not list(daemon.state.rglob("*.part"))
    with closing(sqlite3.connect(daemon.state / "scopewatch.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_database_that_another_program_holds_is_waited_for(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    score_first(daemon, save, phase)
    with held(daemon.state / "scopewatch.db"):
        save(daemon.incoming / "P1_A1_s0_t0001_phase.tif", phase)
        with pytest.raises(subprocess.TimeoutExpired):
            daemon.wait(3)
        assert daemon.count("frame scored") == 1
    daemon.eventually(lambda: daemon.count("frame scored") == 2, within_s=20)
    assert set(daemon.states().values()) == {"done"}
    assert daemon.end() == 0


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_database_held_for_a_minute_costs_no_frame(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    score_first(daemon, save, phase)
    with held(daemon.state / "scopewatch.db"):
        for time_point in range(1, 4):
            save(daemon.incoming / f"P1_A1_s0_t000{time_point}_phase.tif", phase)
        with pytest.raises(subprocess.TimeoutExpired):
            daemon.wait(60)
    assert daemon.count("step failed") >= 1
    daemon.eventually(lambda: daemon.count("frame scored") == 4, within_s=60)
    assert set(daemon.states().values()) == {"done"}
    assert daemon.end() == 0
