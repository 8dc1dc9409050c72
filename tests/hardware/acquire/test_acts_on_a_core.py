"""A real daemon with a real core leaves out a well that is marked dead, over a kill."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.store.read.queries import Reader
from tests.hardware.acquiring_daemon import acquiring, acquiring_daemon, images, position, stop
from tests.integration.daemon import Daemon

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(240)]


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    source = acquiring(
        interval_s=15,
        time_points=4,
        positions=[position("A1", 0), position("A2", 900)],
        acts={"skip_dead": True},
    )
    made = acquiring_daemon(tmp_path, eventually, source)
    yield made
    stop(made)


def test_a_dead_well_is_left_out_without_gaps_over_a_kill(daemon: Daemon) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 60)
    asked = daemon.ask("acquisition", "dead", "A02", "--reason", "contaminated")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == "scope: well plate/A2: left out from time point 1 on\n"
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait(10)

    daemon.start_ready()
    asked = daemon.ask("acquisition", "dead", "A2")
    assert (asked.returncode, "left out already" in asked.stderr) == (1, True)
    daemon.eventually(lambda: daemon.count("time point acquired") >= 2, 40)
    asked = daemon.ask("acquisition", "alive", "A2")
    assert asked.returncode == 0, asked.stderr
    back = int(asked.stdout.split()[-2])
    assert asked.stdout == f"scope: well plate/A2: imaged again from time point {back} on\n"
    assert daemon.ask("acquisition", "wells").stdout == "no well is marked dead\n"
    daemon.eventually(lambda: any(at == back for at, _ in taken(daemon)), 60)
    assert daemon.end(within_s=20) == 0
    # Of the data set that was killed the index is empty: its images are known by their frames.
    on_disk = images(daemon.config.parent / "data")
    assert set(on_disk.values()) == {1}
    assert {at for at, label in on_disk if label == "A2"} == {back}
    assert {at for at, well in taken(daemon) if well == "A2"} == {0, back}
    gaps = [frame for frame in daemon.frames() if frame.fault == "gap"]
    assert [frame for frame in gaps if frame.key.well == "A2" and frame.key.time_point < back] == []
    with closing(Reader.open(daemon.state)) as reader:
        (marked, _, taken_in) = [each for each in reader.journal("HES 7", 50) if each.target]
    assert (marked.reason, marked.done, taken_in.done) == ("contaminated", True, True)


def taken(daemon: Daemon) -> set[tuple[int, str]]:
    return {(frame.key.time_point, frame.key.well) for frame in daemon.frames()}
