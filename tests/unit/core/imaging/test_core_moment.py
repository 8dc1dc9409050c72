from datetime import UTC, datetime, timedelta

import pytest

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.moment import Moment, check_moment

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "recorded", "expected"),
    [
        (Moment(), Moment(), False),
        (Moment(acquired_at=AT), Moment(), True),
        (Moment(acquired_at=AT), Moment(elapsed_s=60), True),
        (Moment(acquired_at=AT), Moment(acquired_at=AT), False),
        (Moment(acquired_at=AT), Moment(acquired_at=AT + SECOND), False),
        (Moment(acquired_at=AT), Moment(acquired_at=AT - 1.5 * SECOND), True),
        (Moment(elapsed_s=60), Moment(), True),
        (Moment(elapsed_s=60), Moment(elapsed_s=60.5), False),
        (Moment(elapsed_s=0), Moment(elapsed_s=60), True),
        (Moment(elapsed_s=60), Moment(acquired_at=AT), False),
        (Moment(), Moment(acquired_at=AT), False),
    ],
)
def test_a_moment_counts_where_it_says_more_or_something_else(
    now: Moment, recorded: Moment, expected: bool
) -> None:
    assert now.updates(recorded) is expected


def test_what_one_witness_does_not_say_another_may() -> None:
    lesser = Moment(acquired_at=AT, elapsed_s=60)
    assert Moment(elapsed_s=0).over(lesser) == Moment(acquired_at=AT, elapsed_s=0)
    assert Moment(acquired_at=AT + SECOND).over(lesser) == Moment(
        acquired_at=AT + SECOND, elapsed_s=60
    )
    assert (Moment().known, Moment(elapsed_s=0).known) == (False, True)


@pytest.mark.parametrize("elapsed_s", [-1.0, float("nan"), float("inf")])
def test_a_time_before_the_start_is_refused(elapsed_s: float) -> None:
    with pytest.raises(FrameError, match=r"frame lies before the start of its run: x\.tif"):
        check_moment(None, elapsed_s, "x.tif")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(FrameError, match=r"frame time has no time zone: x\.tif"):
        check_moment(AT.replace(tzinfo=None), None, "x.tif")
