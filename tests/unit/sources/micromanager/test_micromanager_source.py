"""The acquiring source with a fake microscope: its calls, its start and its end.

Failures: `test_micromanager_failing.py`. The real microscope: tests/hardware.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.time_lapse_scene import RUN, Scene, settings


def test_time_points_are_acquired_on_their_grid_and_offered(scene: Scene) -> None:
    scene.start()
    assert scene.source.plan().next_time_point == 0
    for hours in (0, 0.5, 1, 1.99, 2.1, 3, 4):
        scene.at(hours)
    assert scene.acquired == [0, 1, 2]
    assert len(scene.inbox.tickets) == 12
    assert scene.inbox.keys[0] == "HES 7/plate/A1/s0/t0000/BF"
    assert scene.source.plan().next_time_point == 3
    assert scene.source.load(scene.inbox.tickets[0]).pixels.shape == (24, 32)
    assert scene.source.health().alive


def test_a_time_lapse_that_is_over_has_ended_and_needs_no_microscope(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.at(2)
    assert first.source.health().ended, "the gap in the middle will not be filled"
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.microscope.fail_open = 1
    again.ledger = first.ledger
    again.start()
    health = again.source.health()
    assert (health.alive, health.ended) == (True, True)
    assert again.microscope.opened == 0
    again.source.stop()


def test_after_a_restart_the_time_lapse_goes_on_where_the_clock_says(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.ledger.settle(*first.inbox.tickets)
    again.start()
    plan = again.source.plan()
    assert (plan.next_time_point, plan.began_at) == (1, datetime(2026, 3, 1, 9, tzinfo=UTC))
    again.at(0.9)
    assert again.acquired == []
    again.at(1.5)
    assert again.acquired == [1]
    assert {ticket.key.run for ticket in again.inbox.tickets} == {"HES 7"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["HES_7_1", "HES_7_2"]
    again.source.stop()


def test_after_a_restart_no_folder_is_made_in_place_of_one_that_is_gone(
    tmp_path: Path, clock: FakeClock
) -> None:
    data = tmp_path / "data"
    first = Scene(data, clock).start()
    first.at(0)
    first.source.stop()
    away = data.rename(tmp_path / "away")
    again = Scene(data, clock)
    again.ledger = first.ledger
    with pytest.raises(SourceError, match="folder for the data sets was there, and is gone"):
        again.start()
    assert not data.exists()
    away.rename(data)
    again.start().at(1)
    assert again.acquired == [1]
    again.source.stop()


def test_data_sets_of_others_in_the_folder_are_left_alone(scene: Scene, tmp_path: Path) -> None:
    write_data_set(tmp_path, name="somebody")
    scene.start()
    assert scene.inbox.tickets == []


def test_a_microscope_that_is_not_there_refuses_the_start_and_can_be_tried_again(
    scene: Scene,
) -> None:
    scene.microscope.fail_open = 1
    with pytest.raises(SourceError, match="no camera"):
        scene.start()
    assert not scene.source.health().alive
    scene.start()
    assert scene.source.health().alive


def test_a_folder_that_cannot_be_made_refuses_the_start(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"folder for the data sets cannot be made: .*file/x"):
        Scene(tmp_path / "file" / "x", clock).start()


def test_stopping_lets_the_microscope_go_and_offers_its_last_images(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, clock).start()
    scene.source.acquire_due()
    scene.source.stop()
    scene.source.stop()
    assert (scene.microscope.opened, scene.microscope.closed) == (1, 1)
    assert len(scene.inbox.tickets) == 4
    scene.source.acquire_due()
    assert len(scene.microscope.asked) == 1


def test_following_needs_no_microscope(tmp_path: Path, clock: FakeClock) -> None:
    write_data_set(tmp_path, times=2, name="HES 7", channel="BF")
    scene = Scene(tmp_path, clock, mode="follow").start()
    assert scene.inbox.keys == ["HES 7/plate/A1/s0/t0000/BF", "HES 7/plate/A1/s0/t0001/BF"]
    scene.source.acquire_due()
    assert (scene.microscope.opened, scene.source.acquires) == (0, False)
    scene.source.stop()


def test_images_of_a_time_lapse_of_our_own_are_counted_as_they_are_saved(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    assert scene.arrivals.calls == ["begins", *["1 came"] * 4, "over"]
    scene.source.scan()
    assert scene.arrivals.images == 4, "images found on disk are not counted again"


def test_a_time_point_that_fails_is_over_for_the_worker_too(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_first = 1
    scene.at(0)
    assert scene.arrivals.calls == ["begins", "over", "begins", *["1 came"] * 4, "over"]


def test_data_sets_that_are_followed_are_read_by_all_settings_of_the_source(
    tmp_path: Path, clock: FakeClock
) -> None:
    with writing(tmp_path, "HES_7") as writer:
        writer.add(0, "left", channel="BF2", z=-1, tags={"Time": "2026-03-01 09:00:00"})
    reading = {
        "wells": {"left": "B2"},
        "channel_names": {"BF2": "BF"},
        "clock_zone": "Asia/Tokyo",
        "z": -1,
        "um_per_px": 1.3,
    }
    config = settings(tmp_path, mode="follow", **reading)
    source, inbox = MicroManagerSource(config, RUN, clock), FakeInbox()
    source.start(inbox, FakeLedger())
    source.stop()
    assert inbox.keys == ["HES 7 HES_7_1/plate/B2/s0/t0000/BF"]
    frame = source.load(inbox.tickets[0])
    assert frame.pixel_size_um == 1.3
    assert frame.acquired_at == datetime(2026, 3, 1, 0, tzinfo=UTC)
