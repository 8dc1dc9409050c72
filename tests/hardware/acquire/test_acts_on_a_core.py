"""A real daemon with a real core acts on what it sees, over kills: dead wells, unfit frames."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.store.read.reader import Reader
from tests.hardware.acquiring_daemon import acquiring, acquiring_daemon, images, position, stop
from tests.integration.daemon import Daemon

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(240)]


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    source = acquiring(
        time_points=4,
        positions=[position("A1", 0), position("A2", 900)],
        acts={"skip_dead": True, "more_sites": {"offsets_um": [[100, 50]]}},
    )
    made = acquiring_daemon(tmp_path, eventually, source)
    yield made
    stop(made)


def now(daemon: Daemon, time_point: int) -> None:
    """Take one more time point, and wait until its frames are settled."""
    asked = daemon.ask("acquisition", "now")
    assert asked.stdout == f"scope: time point {time_point}\n", asked.stderr
    daemon.eventually(lambda: (time_point, "A1") in taken(daemon), 60)


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
    now(daemon, 1)
    asked = daemon.ask("acquisition", "alive", "A2")
    assert asked.stdout == "scope: well plate/A2: imaged again from time point 2 on\n"
    assert daemon.ask("acquisition", "wells").stdout == (
        "no well is marked dead or has further sites\n"
    )
    now(daemon, 2)
    daemon.eventually(lambda: (2, "A2") in taken(daemon), 60)
    assert daemon.end(within_s=20) == 0
    # Of the data set that was killed the index is empty: its images are known by their frames.
    assert images(daemon.config.parent / "data") == {(1, "A1"): 1, (2, "A1"): 1, (2, "A2"): 1}
    assert {at for at, well in taken(daemon) if well == "A2"} == {0, 2}
    assert not [frame for frame in daemon.frames() if frame.fault == "gap"]
    with closing(Reader.open(daemon.state)) as reader:
        (marked, _, taken_in) = [each for each in reader.journal("HES 7", 50) if each.target]
    assert (marked.reason, marked.done, taken_in.done) == ("contaminated", True, True)


def test_further_sites_of_a_well_become_frames_of_it(daemon: Daemon) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 60)
    asked = daemon.ask("acquisition", "more-sites", "A2")
    assert asked.stdout == (
        "scope: well plate/A2: 1 further sites, where there is time, from time point 1 on\n"
    ), asked.stderr
    assert "more-sites well plate/A2" in daemon.ask("acquisition", "wells").stdout
    now(daemon, 1)
    daemon.eventually(lambda: daemon.count("further site was taken") == 1, 40)
    asked = daemon.ask("acquisition", "planned-sites", "A2")
    assert "only the planned sites from time point 2 on" in asked.stdout, asked.stderr
    now(daemon, 2)
    assert daemon.end(within_s=20) == 0
    further = [frame.key for frame in daemon.frames() if frame.key.site]
    assert [(key.well, key.site, key.time_point) for key in further] == [("A2", 1, 1)]
    assert not [frame for frame in daemon.frames() if frame.fault == "gap"]


def taken(daemon: Daemon) -> set[tuple[int, str]]:
    return {(frame.key.time_point, frame.key.well) for frame in daemon.frames()}


@pytest.fixture
def unfocused(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    """A daemon whose camera gives patterns that are out of focus by the model's limits."""
    source = acquiring(
        interval_s=60,
        time_points=2,
        positions=[position("A1", 0), position("A2", 900)],
        focus={"method": "autofocus"},
        acts={"reimage_unfit": True},
        projection={"focus_s": 1},
    )
    made = acquiring_daemon(tmp_path, eventually, source)
    yield made
    stop(made)


def acts(daemon: Daemon) -> list[JournalEntry]:
    with closing(Reader.open(daemon.state)) as reader:
        return [each for each in reader.journal("HES 7", 50) if each.act is Act.REIMAGE]


def test_an_unfit_frame_is_taken_again_once_though_the_daemon_is_killed_meanwhile(
    unfocused: Daemon,
) -> None:
    daemon = unfocused
    daemon.start_ready()
    daemon.eventually(lambda: daemon.state.exists() and len(acts(daemon)) == 2, 60)
    daemon.eventually(lambda: count_of(daemon) >= 3, 20)
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait(10)

    daemon.start_ready()
    daemon.eventually(lambda: all(each.done is not None for each in acts(daemon)), 40)
    daemon.eventually(lambda: daemon.count("frame is taken from another file") >= 2, 40)
    assert daemon.end(within_s=20) == 0
    first, second = acts(daemon)
    assert {first.by, second.by} == {"scopewatch"}
    assert first.reason.startswith("frame is out of focus: ")
    assert {each.target.text for each in (first, second) if each.target} == {
        "well plate/A1 site 0 time point 0 fitc",
        "well plate/A2 site 0 time point 0 fitc",
    }
    assert count_of(daemon) == 4
    frames = [frame for frame in daemon.frames() if frame.key.time_point == 0]
    assert [frame.key.well for frame in frames] == ["A1", "A2"]


def count_of(daemon: Daemon) -> int:
    """Count the images of time point 0 on disk, also of a data set that was not closed."""
    count = 0
    for folder in (daemon.config.parent / "data").iterdir():
        data_set = DataSet(folder, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            count += sum(each.axes.get("time") == 0 for each in sightings if each.image)
    return count
