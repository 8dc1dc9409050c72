"""The times at which time points are due, and the retries of one that fails."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.time_lapse import MOST_WAIT_S, TRIES, TimeLapse
from tests.conftest import FakeClock


@pytest.fixture
def lapse() -> TimeLapse:
    return TimeLapse(interval_s=3600, time_points=3)


def due(lapse: TimeLapse, clock: FakeClock) -> int | None:
    return lapse.due(clock.now(), clock.monotonic())


def test_the_first_call_begins_the_time_lapse(lapse: TimeLapse, clock: FakeClock) -> None:
    assert due(lapse, clock) == 0
    assert lapse.began_at == clock.now()
    lapse.done(0)
    assert due(lapse, clock) is None
    clock.advance(3600)
    assert due(lapse, clock) == 1
    clock.advance(2 * 3600)
    assert due(lapse, clock) is None, "there is no fourth"


@pytest.mark.parametrize(("partly", "tries"), [(True, TRIES), (False, 9)])
def test_a_failure_is_tried_again_after_waits_that_double_up_to_ten_minutes(
    lapse: TimeLapse, clock: FakeClock, partly: bool, tries: int
) -> None:
    tried: list[float] = []
    while clock.seconds < 2800:
        if (index := due(lapse, clock)) is not None:
            tried.append(clock.monotonic())
            lapse.failed(index, "no image", clock.monotonic(), partly=partly)
        clock.advance(1)
    waits = [later - sooner for sooner, later in pairwise(tried)]
    expected = [10, 20, 40, 80, 160, 320, MOST_WAIT_S, MOST_WAIT_S, MOST_WAIT_S]
    assert waits[: tries - 1] == expected[: tries - 1]
    assert len(tried) >= tries
    assert lapse.over == (0 if partly else -1)
    assert lapse.why(0) == "no image"


def test_the_next_time_point_is_tried_at_once_after_any_outcome_of_the_last(
    lapse: TimeLapse, clock: FakeClock
) -> None:
    for _ in range(6):
        assert due(lapse, clock) == 0
        lapse.failed(0, "no image", clock.monotonic(), partly=False)
        clock.advance(590)
    clock.advance(60)
    lapse.pass_by(clock.now(), "scopewatch was down")
    assert (lapse.over, lapse.why(0)) == (0, "no image")
    assert due(lapse, clock) == 1


def test_what_passed_by_is_over_with_its_reason(lapse: TimeLapse, clock: FakeClock) -> None:
    lapse.pass_by(clock.now(), "nothing has begun")
    assert lapse.over == -1
    assert due(lapse, clock) == 0
    lapse.done(0)
    clock.advance(2 * 3600)
    lapse.pass_by(clock.now(), "the core was away")
    assert (lapse.over, lapse.why(1)) == (1, "the core was away")
    clock.advance(99 * 3600)
    lapse.pass_by(clock.now(), "scopewatch was down")
    assert (lapse.over, lapse.why(2)) == (2, "scopewatch was down")


def test_a_clock_that_was_set_back_waits(lapse: TimeLapse, clock: FakeClock) -> None:
    lapse.grid = Grid(first=0, first_at=clock.now() + timedelta(hours=1), interval_s=3600)
    assert due(lapse, clock) is None
    lapse.pass_by(clock.now(), "")
    assert lapse.over == -1


def test_weeks_without_a_camera_do_not_overflow(clock: FakeClock) -> None:
    lapse = TimeLapse(interval_s=1e9, time_points=1)
    began_at: datetime = clock.now()
    lapse.grid = Grid(first=0, first_at=began_at, interval_s=1e9)
    for _ in range(2000):
        lapse.failed(0, "no image", clock.monotonic(), partly=False)
    assert due(lapse, clock) == 0
