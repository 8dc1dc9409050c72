"""A fake microscope fails to the end of the plan: each gap and the end have their cause."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import Scene, missed, pass_time


def test_an_image_that_failed_is_missed_for_its_own_cause(scene: Scene) -> None:
    scene.start()
    scene.microscope.cause = "Position out of range"
    scene.microscope.fail_images = 10**6
    pass_time(scene, 0, until=0.9)
    assert missed(scene) == ["HES 7/plate/A2/s0/t0000/BF: never acquired: Position out of range"]
    scene.microscope.fail_images = 0
    pass_time(scene, 1, until=1)
    assert scene.acquired[-1] == 1
    assert len(missed(scene)) == 1


def test_time_points_that_pass_while_one_fails_are_missed_for_that(scene: Scene) -> None:
    scene.start()
    scene.microscope.takes_s = 0.6 * 3600
    scene.microscope.fail_first = 2
    scene.source.acquire_due()
    scene.source.scan()
    assert {line.split(": ", 1)[1] for line in missed(scene)} == {
        "never acquired: time point 0: no image came"
    }
    assert "too short" not in str(missed(scene))


def test_a_plan_that_failed_to_its_end_says_how_much_is_missing_and_why(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    scene.start()
    scene.at(0)
    assert scene.source.health().shortfall == ""
    scene.microscope.fail_first = 10**6
    pass_time(scene, 0.9, until=3.1, step_s=300)
    health = scene.source.health()
    assert health.ended
    assert health.shortfall == (
        "plan over, 8 of 12 images are missing; the last: time point 2: no image came"
    )
    logged = [record.message for record in caplog.records]
    assert logged.count("time-lapse is over, images are missing") == 1


def test_the_journal_tells_of_gaps_once_for_each_cause(scene: Scene) -> None:
    scene.start()
    scene.microscope.cause = "Position out of range"
    scene.microscope.fail_images = 10**6
    pass_time(scene, 0, until=0.9)
    scene.microscope.cause = "No space left on device"
    scene.at(1)
    scene.microscope.fail_images = 0
    scene.at(2)
    notes = [each.outcome for each in scene.source.reports()]
    assert notes == [
        "one image of time point 0 never acquired: Position out of range",
        "one image of time point 1 never acquired: No space left on device",
    ]


def test_after_a_restart_the_journal_tells_of_the_gap_since(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock, time_points=9).start()
    first.at(0)
    first.source.stop()
    clock.advance(3.5 * 3600)
    again = Scene(tmp_path, clock, time_points=9)
    again.ledger = first.ledger
    again.start()
    again.ledger.settle(*again.inbox.refusals)
    again.source.scan()
    assert [each.outcome for each in again.source.reports()] == [
        "4 images of time points 1 to 2 never acquired: scopewatch was not acquiring then"
    ]
    again.source.stop()


def test_a_plan_that_ended_well_has_no_shortfall_for_a_gap_in_its_middle(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    scene.at(2)
    assert (scene.source.health().ended, scene.source.health().shortfall) == (True, "")


def test_a_shortfall_is_known_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.source.stop()
    clock.advance(9 * 3600)
    again = Scene(tmp_path, clock).start()
    assert again.source.health().shortfall == (
        "plan over, 8 of 12 images are missing; the last: scopewatch was not acquiring then"
    )
    again.source.stop()


def test_a_source_is_not_taken_for_dead_while_it_reconnects(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[bool] = []
    scene.start()
    scene.microscope.fail_first = 1
    connect = scene.microscope.open

    def look() -> None:
        alive.append(scene.source.health().alive)
        connect()

    monkeypatch.setattr(scene.microscope, "open", look)
    scene.at(0)
    assert alive == [True], "the supervisor would stop it in the middle of the second attempt"
    assert len(scene.inbox.tickets) == 4
