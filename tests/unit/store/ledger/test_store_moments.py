"""The time of a frame: which origin counts, and the effects where it becomes known later."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket, Mark
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, ticket

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAYS = (
    "SELECT time_point, round(results.day, 6) FROM results"
    " JOIN frames ON frames.id = frame_id ORDER BY time_point, well_id"
)
FIRST = "SELECT first_frame_at FROM runs"


def by_index(frame: FrameKey) -> dict[str, Any]:
    """Return the facts of a frame every 12 hours by its index only."""
    return {"dated": False, "elapsed_s": frame.time_point * 12 * 3600.0}


def score(scene: Scene, frame: FrameKey, fraction: float = 0.7, **taken: Any) -> None:
    scene.score(frame, fraction, taken=taken or by_index(frame))


def offer_again(frame: FrameKey, acquired_at: datetime | None = None, **known: Any) -> FrameTicket:
    """Return the ticket of a settled frame whose time is known now."""
    return ticket(frame, acquired_at=acquired_at, **known)


def needs_work(scene: Scene, offered: FrameTicket) -> bool:
    mark = Mark(
        offered.locator,
        offered.fingerprint,
        acquired_at=offered.acquired_at,
        elapsed_s=offered.elapsed_s,
    )
    return offered.locator not in scene.store.settled(offered.source, [mark])


def first_of(scene: Scene) -> datetime | None:
    with_reader = Reader.open(scene.folder)
    (run,) = with_reader.runs()
    with_reader.close()
    return run.first_frame_at


@pytest.fixture
def started(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    """A run whose start is configured, a day before its first frame."""
    store = open_store(tmp_path / "started", clock, started_at=START - DAY)
    yield Scene(store=store, folder=tmp_path / "started")
    store.close()


def test_a_frame_is_placed_by_its_time_since_the_start(scene: Scene) -> None:
    for time_point in (3, 0):
        score(scene, key(time_point=time_point))
    assert scene.rows(DAYS) == [(0, 0.0), (3, 1.5)]
    assert first_of(scene) is None, "the time it was seen does not move a frame that has an index"


def test_ten_days_found_in_one_minute_are_ten_days(scene: Scene) -> None:
    for time_point in range(21):
        frame = key(time_point=time_point)
        offered = replace(ticket(frame), seen_at=START)
        assert scene.store.claim(offered)
        scene.commit(offered, 0.7, **by_index(frame))
    assert [day for _, day in scene.rows(DAYS)] == [index / 2 for index in range(21)]


def test_a_ticket_says_what_loading_does_not(scene: Scene) -> None:
    offered = ticket(key(time_point=2), elapsed_s=86_400.0)
    assert scene.store.claim(offered)
    scene.commit(offered, 0.7, dated=False)
    assert scene.rows(DAYS) == [(2, 1.0)]
    assert not needs_work(scene, offered)


def test_time_since_the_start_is_used_with_a_configured_start(started: Scene) -> None:
    score(started, key(time_point=2))
    score(started, key("B2", 2), acquired_at=START + DAY)
    assert started.rows(DAYS) == [(2, 1.0), (2, 2.0)]


def test_an_earlier_moment_moves_day_zero_and_not_the_days_since_the_start(scene: Scene) -> None:
    score(scene, key("A1", 0), acquired_at=START + 6 * HOUR)
    score(scene, key("B2", 4))
    score(scene, key("C3", 0), acquired_at=START)
    assert scene.rows(DAYS) == [(0, 0.25), (0, 0.0), (4, 2.0)]
    assert scene.rows("SELECT round(day, 6) FROM well_estimates ORDER BY well_id") == [
        (0.25,),
        (2.0,),
        (0.0,),
    ]


def test_the_first_real_moment_of_a_run_that_has_days_already_keeps_them_in_order(
    scene: Scene,
) -> None:
    for time_point in range(3):
        score(scene, key(time_point=time_point))
    frame = key(time_point=3)
    score(scene, frame, acquired_at=START + 37 * HOUR)
    assert scene.rows(DAYS) == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5)]


def test_a_frame_that_is_scored_again_keeps_the_time_it_was_first_seen(scene: Scene) -> None:
    scene.score(key(), 0.7, taken={"dated": False})
    later = replace(ticket(key(), fingerprint="2"), seen_at=START + 9 * DAY)
    assert scene.store.claim(later)
    scene.commit(later, 0.7, dated=False)
    assert scene.rows(DAYS) == [(0, 0.0)]


def test_moments_that_get_known_are_taken_up_without_scoring(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    for time_point in range(4):
        score(scene, key(time_point=time_point))
    before = scene.rows("SELECT frame_id, positive_fraction, total_ms FROM results ORDER BY 1")
    with caplog.at_level(logging.INFO):
        for time_point in range(4):
            offered = offer_again(key(time_point=time_point), START + 13 * HOUR * time_point)
            assert needs_work(scene, offered)
            assert not scene.store.claim(offered), "nothing is scored again"
            assert scene.store.retime(offered)
            assert not needs_work(scene, offered)
    assert caplog.text.count("frame's time became known") == 4
    expected = [(0, 0.0), (1, 0.541667), (2, 1.083333), (3, 1.625)]
    assert scene.rows(DAYS) == expected
    assert scene.rows("SELECT time_point, round(day, 6) FROM well_estimates") == expected
    assert scene.rows("SELECT time_point, round(now_day, 6) FROM well_outlooks") == expected
    after = scene.rows("SELECT frame_id, positive_fraction, total_ms FROM results ORDER BY 1")
    assert after == before
    assert scene.rows("SELECT state, attempts FROM frames") == [("done", 1)] * 4
    assert first_of(scene) == START


def test_moments_that_get_known_in_any_order_come_to_the_same_days(scene: Scene) -> None:
    for time_point in range(3):
        score(scene, key(time_point=time_point))
    for time_point in (2, 0, 1):
        assert scene.store.retime(offer_again(key(time_point=time_point), START + time_point * DAY))
    # The middle one was placed by its index until the first time was known.
    assert scene.rows(DAYS) == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_no_time_point_is_stepped_twice_for_a_moment(scene: Scene) -> None:
    for time_point in range(3):
        score(scene, key(time_point=time_point), 0.1)
    states = scene.rows("SELECT rule, well, last_time_point, state FROM rule_states")
    messages = scene.rows("SELECT idempotency_key FROM outbox")
    assert messages, "the well is weak, and its alert was raised"
    for time_point in range(3):
        scene.store.retime(offer_again(key(time_point=time_point), START + DAY * time_point))
    assert scene.rows("SELECT rule, well, last_time_point, state FROM rule_states") == states
    assert scene.rows("SELECT idempotency_key FROM outbox") == messages


def test_a_corrected_moment_of_the_first_frame_moves_day_zero_with_it(scene: Scene) -> None:
    for time_point in range(3):
        score(scene, key(time_point=time_point), acquired_at=START + 12 * HOUR * time_point)
    assert scene.store.retime(offer_again(key(), START + 6 * HOUR))
    assert scene.rows(DAYS) == [(0, 0.0), (1, 0.25), (2, 0.75)]
    assert first_of(scene) == START + 6 * HOUR
    assert scene.store.retime(offer_again(key(), START - 6 * HOUR))
    assert scene.rows(DAYS) == [(0, 0.0), (1, 0.75), (2, 1.25)]


def test_one_date_given_to_all_time_points_is_corrected(started: Scene) -> None:
    """Earlier versions used the date of a series so."""
    for time_point in range(3):
        score(started, key(time_point=time_point), acquired_at=START)
    assert {day for _, day in started.rows(DAYS)} == {1.0}
    for time_point in range(3):
        offered = offer_again(key(time_point=time_point), START + 12 * HOUR * time_point)
        assert started.store.retime(offered) == (time_point > 0)
    assert started.rows(DAYS) == [(0, 1.0), (1, 1.5), (2, 2.0)]


def test_a_moment_known_already_changes_nothing(scene: Scene) -> None:
    score(scene, key(), acquired_at=START)
    for offered in (
        offer_again(key(), START + timedelta(seconds=0.9)),
        offer_again(key(), None, elapsed_s=99_999.0),
        offer_again(key()),
    ):
        assert not needs_work(scene, offered)
        assert not scene.store.retime(offered)


def test_time_since_the_start_is_better_than_when_it_was_seen(scene: Scene) -> None:
    offered = replace(ticket(key(time_point=2)), seen_at=START)
    scene.store.claim(offered)
    scene.commit(offered, 0.7, dated=False)
    assert scene.rows(DAYS) == [(2, 0.0)]
    again = offer_again(key(time_point=2), None, elapsed_s=86_400.0)
    assert needs_work(scene, again)
    assert scene.store.retime(again)
    assert scene.rows(DAYS) == [(2, 1.0)]


@pytest.mark.parametrize("what", ["claimed", "quarantined", "unknown", "changed"])
def test_only_results_have_moments(scene: Scene, what: str) -> None:
    offered = offer_again(key(), START + DAY)
    if what == "claimed":
        scene.store.claim(ticket(key()))
    elif what == "quarantined":
        scene.spoil(key())
        assert not needs_work(scene, offered)
    elif what == "changed":
        scene.score(key(), 0.7, fingerprint="2")
    assert not scene.store.retime(offered)


def test_days_by_the_index_stay(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(store=open_store(tmp_path, clock, day_from="time_point"), folder=tmp_path)
    score(scene, key(time_point=2))
    assert scene.store.retime(offer_again(key(time_point=2), START + 9 * DAY))
    assert scene.rows(DAYS) == [(2, 1.0)]
    scene.store.close()
