"""An NDTiff source counts images as they arrive, and defers work until after a burst."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.sighting import Sighting
from tests.conftest import FakeClock
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def test_images_of_a_growing_data_set_are_counted_and_those_there_before_are_not(
    tmp_path: Path, make: Make
) -> None:
    write_data_set(tmp_path, times=4, name="old")
    scene = make().start()
    scene.later(10)
    assert scene.arrivals.images == 0, "a backlog is no arrival"
    with writing(tmp_path) as writer:
        for time in range(3):
            writer.add(time)
        scene.later(2)
        assert scene.arrivals.came_s == [(0, 10), (3, 2)], "of a data set that began meanwhile too"
        writer.add(3)
        scene.later(1)
    assert scene.arrivals.came_s[-1] == (1, 1)


def test_images_of_a_burst_are_offered_after_it(tmp_path: Path, make: Make) -> None:
    scene = make().start()
    with writing(tmp_path) as writer:
        writer.add(0)
        scene.later(1)
        scene.arrivals.burst = True
        for time in range(1, 4):
            writer.add(time)
            scene.later(1)
        assert (len(scene.inbox.tickets), scene.source.health().waiting) == (1, 3)
        asked = len(scene.ledger.asked)
        scene.later(1)
        assert len(scene.ledger.asked) == asked, "nor is the ledger asked anything"
        scene.arrivals.burst = False
        scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 1, 2, 3]


def test_what_begins_is_counted_by_a_few_images_and_read_after_the_burst(
    tmp_path: Path, make: Make
) -> None:
    scene = make().start()
    scene.later(1)
    # A glance reports the start, a look soon after it counts: by the thread of the source or by
    # these.
    scene.clock.advance(0.2)
    write_data_set(tmp_path, times=300)
    scene.source._step(full=False)
    assert scene.arrivals.calls[-1] == "begins"
    scene.clock.advance(0.3)
    scene.source._step(full=False)
    assert scene.arrivals.came_s[-1][0] == 20, "as many as tell that it is a burst"
    assert scene.ledger.asked == [], "nor was the ledger asked anything"
    assert (len(scene.inbox.tickets), scene.source.health().waiting) == (0, 300)
    scene.arrivals.burst = True
    scene.later(1)
    scene.arrivals.burst = False
    for _ in range(3):
        scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == list(range(300))
    assert scene.arrivals.images == 300


def test_of_a_burst_that_the_inbox_has_no_room_for_nothing_is_lost(
    tmp_path: Path, make: Make
) -> None:
    scene = make().start()
    scene.inbox.room, scene.arrivals.burst = 0, True
    write_data_set(tmp_path, times=1100)
    scene.later(1)
    scene.arrivals.burst = False
    for _ in range(40):
        scene.inbox.room = 60
        scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == list(range(1100))
    assert max(scene.ledger.asked) <= 500, "a full inbox does not make it ask about all of them"


def test_a_data_set_that_has_ended_is_asked_again_by_a_scan_alone(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_set(tmp_path, times=1)
    scene = make().start()
    asked: list[float] = []

    def look(_self: DataSet, now_s: float, _at_most: int) -> list[Sighting]:
        asked.append(now_s)
        return []

    monkeypatch.setattr(DataSet, "look", look)
    assert scene.source._offering is not None
    scene.source._look(scene.source._offering, full=False)
    assert asked == []
    scene.later(1)
    assert asked == [1.0]
