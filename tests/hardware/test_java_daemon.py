"""A whole daemon with backend java, over a stand-in for a running Micro-Manager.

The daemon acquires, is killed, loses the bridge and finds it again; in mode follow it reads what
another program has this Micro-Manager acquire.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scopewatch.store.read.records.frames import FrameRecord
from tests.hardware.acquiring_daemon import Wanted, acquiring, acquiring_daemon, position, stop
from tests.hardware.images_on_disk import images_on_disk
from tests.hardware.java_program import MicroManagerProgram, acquire_over_bridge
from tests.integration.daemon import Daemon

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(300)]

WITHIN_S = 120.0
WELLS = ("A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2", "C3", "D1", "D2", "D3")
EXPOSURE_MS = 1500
RULE = {"name": "dead", "kind": "source-dead", "minutes": 0.05, "cooldown_h": 0.001}


@pytest.fixture
def program() -> Iterator[MicroManagerProgram]:
    made = MicroManagerProgram()
    made.start()
    yield made
    made.kill()


def bridged(port: int, **changes: object) -> Wanted:
    source = acquiring(backend="java", port=port, **changes)
    del source["mm_app_path"]
    return source


@pytest.fixture
def daemon(
    tmp_path: Path, program: MicroManagerProgram, eventually: Callable[..., None]
) -> Iterator[Daemon]:
    made = acquiring_daemon(tmp_path, eventually, bridged(program.port))
    made.settings["alerts"] = {"rules": [RULE]}
    yield made
    stop(made)


def settled(daemon: Daemon) -> list[FrameRecord]:
    return [frame for frame in daemon.frames() if frame.state != "claimed"]


def places(frames: list[FrameRecord]) -> list[tuple[int, str]]:
    return sorted((frame.key.time_point, frame.key.well) for frame in frames)


def kill(daemon: Daemon) -> None:
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait(10)


def test_each_image_is_taken_once_though_the_daemon_is_killed_within_a_time_point(
    daemon: Daemon, program: MicroManagerProgram
) -> None:
    """Micro-Manager goes on with the images that the killed daemon asked for."""
    channel = {"group": "Channel", "preset": "FITC", "exposure_ms": EXPOSURE_MS}
    daemon.settings["sources"] = [
        bridged(
            program.port,
            positions=[position(well, 900 * each) for each, well in enumerate(WELLS)],
            channels=[channel],
            time_points=1,
        )
    ]
    data = daemon.root / "data"
    daemon.start()
    daemon.eventually(lambda: sum(images_on_disk(data).values()) >= 2, WITHIN_S)
    kill(daemon)
    daemon.start()
    daemon.eventually(lambda: len(settled(daemon)) == len(WELLS), WITHIN_S)
    expected = [(0, well) for well in WELLS]
    assert places(daemon.frames()) == expected
    assert daemon.end() == 0
    assert images_on_disk(data) == Counter(expected), "no image twice"
    assert {frame.state for frame in daemon.frames()} <= {"done", "quarantined"}


def test_a_micro_manager_that_ends_is_reported_and_used_once_it_is_back(
    daemon: Daemon, program: MicroManagerProgram
) -> None:
    wells = ("A1", "A2")
    daemon.settings["sources"] = [bridged(program.port, interval_s=25, time_points=4)]
    daemon.start()
    daemon.eventually(lambda: len(settled(daemon)) >= len(wells), WITHIN_S)
    program.kill()
    daemon.eventually(lambda: len(alerts(daemon)) == 1, WITHIN_S)
    assert "no Micro-Manager answers" in daemon.log.read_text(encoding="utf-8")
    assert daemon.process is not None
    assert daemon.process.poll() is None
    program.start()
    daemon.eventually(lambda: len(settled(daemon)) == 4 * len(wells), WITHIN_S)
    daemon.eventually(lambda: len(alerts(daemon)) >= 2, WITHIN_S)
    assert daemon.end(within_s=20) == 0

    frames = daemon.frames()
    assert places(frames) == [(index, well) for index in range(4) for well in wells]
    taken = images_on_disk(daemon.root / "data")
    assert set(taken.values()) == {1}
    missed = [frame for frame in frames if frame.state == "missed"]
    assert set(taken) == set(places(frames)) - set(places(missed))
    for frame in missed:
        assert frame.reason is not None
        assert "Micro-Manager" in frame.reason, frame.reason


def alerts(daemon: Daemon) -> list[str]:
    return [
        entry["event.title"] for entry in daemon.log_lines() if entry["message"] == "alert changed"
    ]


def test_what_another_program_has_it_acquire_is_followed_over_a_kill_and_its_end(
    daemon: Daemon, program: MicroManagerProgram
) -> None:
    data = daemon.root / "data"
    data.mkdir()
    daemon.settings["sources"] = [
        {
            "kind": "micromanager",
            "name": "scope",
            "mode": "follow",
            "backend": "java",
            "port": program.port,
            "path": "data",
            "poll_s": 0.2,
        }
    ]
    daemon.start_ready(within_s=WITHIN_S)
    acquire_over_bridge(program.port, data, "HES", WELLS[:4])
    daemon.eventually(lambda: len(settled(daemon)) == 4, WITHIN_S)
    kill(daemon)
    # Nobody watches meanwhile, and then Micro-Manager itself is gone in the middle of a data set.
    acquire_over_bridge(program.port, data, "HES", WELLS[4:8], finish=False)
    program.kill()
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: len(settled(daemon)) == 8, WITHIN_S)
    program.start()
    acquire_over_bridge(program.port, data, "HES", WELLS[8:])
    daemon.eventually(lambda: len(settled(daemon)) == 12, WITHIN_S)
    assert daemon.end() == 0
    assert places(daemon.frames()) == [(0, well) for well in WELLS]
    assert len({frame.locator for frame in daemon.frames()}) == len(WELLS)
    assert daemon.count("source not watching") == 0
