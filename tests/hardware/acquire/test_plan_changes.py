"""The plan of a real daemon with a real core changes during its acquisition."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hardware.acquiring_daemon import (
    acquiring,
    acquiring_daemon,
    images,
    position,
    stop,
    write,
)
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.hardware

WELLS = ("A1", "A2")


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    made = acquiring_daemon(tmp_path, eventually, acquiring(interval_s=10, time_points=8))
    yield made
    stop(made)


def taken(daemon: Daemon) -> list[int]:
    return [
        entry["event.time_point"]
        for entry in daemon.log_lines()
        if entry["message"] == "time point acquired"
    ]


def reload(daemon: Daemon) -> None:
    before = daemon.count("configuration taken up")
    write(daemon)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.eventually(lambda: daemon.count("configuration taken up") > before, 40)


def gaps(daemon: Daemon) -> list[str]:
    return [str(frame.key) for frame in daemon.frames() if frame.fault == "gap"]


def test_a_shorter_interval_goes_on_with_the_next_time_point(daemon: Daemon) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: taken(daemon) == [0, 1], 60)
    daemon.settings["sources"][0]["interval_s"] = 2
    reload(daemon)
    daemon.eventually(lambda: daemon.count("time-lapse goes on by a changed plan") == 1)
    daemon.eventually(lambda: taken(daemon)[-1] == 7, 60)
    assert daemon.end(within_s=20) == 0
    on_disk = images(daemon.root / "data")
    # A machine under load may miss a time point of 2 s, but none before the end of the reload.
    assert {(index, well) for index in (0, 1, 2, 7) for well in WELLS} <= set(on_disk)
    assert set(on_disk.values()) == {1}, "each image once"
    assert daemon.count("time-lapse is over") == 0


def test_what_a_reload_adds_has_no_gap_before_it(daemon: Daemon) -> None:
    daemon.settings["sources"][0]["interval_s"] = 4
    daemon.start_ready()
    daemon.eventually(lambda: len(taken(daemon)) >= 2, 60)
    before = taken(daemon)
    daemon.settings["sources"][0]["positions"].append(position("B1", 18000))
    reload(daemon)
    daemon.eventually(lambda: len(taken(daemon)) >= len(before) + 2, 60)
    assert daemon.end(within_s=20) == 0
    added = sorted(index for index, well in images(daemon.root / "data") if well == "B1")
    assert added
    assert added[0] > before[0]
    daemon.start_ready()
    reported = [key for key in gaps(daemon) if "/B1/" in key]
    earliest = f"HES 7/plate/B1/s0/t{added[0]:04d}/fitc"
    assert all(key > earliest for key in reported), "no gap for the time before it was planned"
    assert daemon.end(within_s=20) == 0


def test_time_points_that_are_added_after_the_end_are_taken(daemon: Daemon) -> None:
    daemon.settings["sources"][0] |= {"interval_s": 2, "time_points": 1}
    daemon.start_ready()
    daemon.eventually(lambda: taken(daemon) == [0], 60)
    daemon.settings["sources"][0] |= {"interval_s": 2, "time_points": 2}
    reload(daemon)
    daemon.eventually(lambda: taken(daemon) == [0, 1], 60)
    assert daemon.end(within_s=20) == 0
    assert images(daemon.root / "data") == {
        (index, well): 1 for index in range(2) for well in WELLS
    }
    assert gaps(daemon) == []
