"""A fake microscope fails: images are tried again, and missed ones are reported once."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed, pass_time


def test_a_missed_time_point_stays_a_gap(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.start()
    scene.at(0)
    scene.at(2.2)
    assert scene.acquired == [0, 2]
    assert "time points were missed" in caplog.text


def test_images_that_failed_are_tried_again_after_reconnecting(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_images = 1
    scene.at(0)
    first, again = scene.microscope.asked
    assert [event["axes"]["position"] for event in first] == ["A1", "A1", "A2", "A2"]
    assert [event["axes"]["position"] for event in again] == ["A2", "A2"]
    assert (scene.microscope.opened, scene.microscope.closed) == (2, 1)
    assert len({str(ticket.key) for ticket in scene.inbox.tickets}) == 4
    assert scene.source.health().alive


def test_a_microscope_that_stays_broken_is_not_alive_and_says_why(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    scene.start()
    scene.microscope.fail_images = 2
    scene.microscope.fail_open = 1
    scene.at(0)
    health = scene.source.health()
    assert not health.alive
    assert health.detail == "time point 0: no camera"
    assert "time point could not be acquired" in caplog.text
    scene.at(0.1)
    assert len(scene.microscope.asked) == 1


def test_a_time_point_is_taken_up_again_once_the_source_was_restarted(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_images = 1
    scene.microscope.fail_open = 1
    scene.at(0)
    scene.source.stop()
    scene.start()
    assert scene.source.health().alive
    scene.at(0.1)
    assert scene.source.plan().next_time_point == 1
    assert len(scene.microscope.asked[-1]) == 2


def test_a_position_out_of_reach_is_tried_later_and_later_and_then_given_up(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.start()
    scene.microscope.fail_images = 10**6
    pass_time(scene, 0, until=0.9)
    assert len(scene.microscope.asked) == 16, "8 tries of two attempts each"
    assert missed(scene) == [
        "HES 7/plate/A2/s0/t0000/BF: never acquired: time point 0: stage out of reach"
    ]
    logged = [record.message for record in caplog.records]
    assert logged.count("time point could not be acquired") == 1, "the same reason is reported once"
    assert scene.source.health().failing == "time point 0: stage out of reach"
    scene.microscope.fail_images = 0
    pass_time(scene, 1, until=1)
    assert scene.acquired[-1] == 1
    assert (scene.source.health().failing, len(missed(scene))) == ("", 1)


def test_a_camera_that_gives_nothing_is_asked_until_the_next_time_point(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_first = 10**6
    pass_time(scene, 0, until=0.8)
    tries = len(scene.microscope.asked)
    assert 16 < tries <= 22, "after some minutes every ten minutes"
    assert scene.inbox.refusals == []
    scene.microscope.fail_first = 0
    pass_time(scene, 0.8, until=0.99)
    assert scene.source.plan().next_time_point == 1, "nothing is missing in the end"
    assert missed(scene) == []


def test_time_points_that_pass_while_the_core_is_away_are_missed_one_by_one(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.start()
    scene.at(0)
    scene.source.stop()
    scene.microscope.fail_open = 10**6
    pass_time(scene, 0.1, until=2.5, step_s=600)
    why = "never acquired: no camera"
    assert missed(scene) == [
        f"HES 7/plate/A1/s0/t0001/BF: {why}",
        f"HES 7/plate/A2/s0/t0001/BF: {why}",
    ], "GFP is no processed channel"
    assert "time points were missed" in caplog.text
    scene.microscope.fail_open = 0
    pass_time(scene, 2.6, until=2.7)
    assert scene.acquired == [0, 2]
    assert scene.source.health().alive


def test_what_was_missed_is_reported_until_it_is_known_and_not_again_after_a_restart(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.inbox.room = 0
    first.at(2.2)
    assert missed(first) == []
    first.inbox.room = 5
    first.at(2.3)
    first.at(2.4)
    assert len(missed(first)) == 1
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.ledger = first.ledger
    again.ledger.settle(*first.inbox.tickets, *first.inbox.refusals)
    again.start()
    again.at(2.5)
    assert missed(again) == [
        "HES 7/plate/A2/s0/t0001/BF: never acquired: scopewatch was not acquiring then"
    ]
    again.source.stop()


def test_a_time_point_that_takes_longer_than_the_interval_costs_those_it_overruns(
    scene: Scene,
) -> None:
    scene.start()
    scene.microscope.takes_s = 2.5 * 3600
    scene.source.acquire_due()
    scene.microscope.takes_s = 0
    scene.at(2.6)
    assert scene.acquired == [0, 2]
    why = "time point 0 was still being acquired: interval_s is too short"
    assert missed(scene) == [
        f"HES 7/plate/A1/s0/t0001/BF: never acquired: {why}",
        f"HES 7/plate/A2/s0/t0001/BF: never acquired: {why}",
    ]


def test_the_last_time_point_is_missed_as_well(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    scene.at(1)
    scene.at(9)
    assert [line.split("/")[-2] for line in missed(scene)] == ["t0002", "t0002"]
    scene.at(20)
    assert len(missed(scene)) == 2


def test_missed_time_points_wait_for_a_database_that_is_away(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    scene.ledger.broken = True
    scene.at(2.2)
    assert missed(scene) == []
    scene.ledger.broken = False
    scene.at(2.3)
    assert len(missed(scene)) == 2


def test_an_unexpected_fault_of_a_driver_is_logged_and_survived(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("driver")

    scene.start()
    monkeypatch.setattr(scene.microscope, "acquire", crash)
    scene.at(0)
    assert scene.source.health().detail == "time point 0: ZeroDivisionError: driver"
    assert "acquisition failed" in caplog.text


@pytest.mark.parametrize("by_s", [-7200, 7200])
def test_time_points_keep_their_distance_though_the_clock_is_set(scene: Scene, by_s: float) -> None:
    scene.start()
    scene.at(0)
    scene.clock.set_by(by_s)
    scene.at(0.99)
    assert scene.acquired == [0]
    scene.at(1)
    scene.at(2)
    assert scene.acquired == [0, 1, 2]
    assert scene.inbox.refusals == []


@pytest.mark.parametrize("by_s", [-7200, 7200])
def test_a_clock_that_is_put_right_before_the_first_time_point_is_followed(
    tmp_path: Path, clock: FakeClock, by_s: float
) -> None:
    first = Scene(tmp_path / "acquired", clock, interval_s=4 * 3600).start()
    first.at(0)
    first.source.stop()
    clock.set_by(by_s)
    again = Scene(tmp_path / "acquired", clock, interval_s=4 * 3600).start()
    again.at(1)
    clock.set_by(-by_s)
    again.at(3.99)
    assert again.acquired == []
    again.at(4.01)
    assert again.acquired == [1]
