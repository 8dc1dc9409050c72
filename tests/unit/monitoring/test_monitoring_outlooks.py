"""Outlooks by continued filters equal those by all points."""

from collections.abc import Sequence

import pytest

from scopewatch.core.estimation.forecast import NoForecast, Silence
from scopewatch.core.estimation.smoothing import WellPoint, filter_points, smooth
from scopewatch.monitoring.outlooks import Foreseen, Sighting, Standing, look_on
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.well_facts import to_point
from tests.unit.store.scene import TABLE

POLICY = RunPolicy(
    run="run 7",
    interval_h=12,
    final_day=10,
    sites_per_well=1,
    phase_channel="phase",
    forecast=TABLE,
)
POINTS = [
    WellPoint(day=day / 2, efficiency=0.05 * day, half_width=0.06 + 0.01 * (day % 3))
    for day in range(12)
]


def seen(points: Sequence[WellPoint], since: int = 0) -> list[Sighting]:
    return [Sighting(time_point=at, point=point) for at, point in enumerate(points, start=since)]


def look(
    before: Standing | None, sightings: Sequence[Sighting], earlier: Sequence[WellPoint] = ()
) -> list[Foreseen]:
    return list(look_on(before, sightings, POLICY, earlier=lambda: earlier))


def never() -> Sequence[WellPoint]:
    raise AssertionError("the points before were asked for")


def test_without_an_interval_all_points_weigh_alike() -> None:
    course = [(day / 2, 0.08 * day) for day in range(12)]
    unknown = [to_point(day, value, 0.0, 1.0) for day, value in course]
    known = [WellPoint(day=day, efficiency=value, half_width=0.06) for day, value in course]

    assert smooth(unknown).value == pytest.approx(smooth(known).value, abs=1e-9)
    assert (smooth(unknown).low, smooth(unknown).high) == (0.0, 1.0)


def test_each_outlook_is_what_all_points_up_to_it_give() -> None:
    for at, outlook in enumerate(look(None, seen(POINTS))):
        expected = smooth(POINTS[: at + 1])
        assert outlook.time_point == at
        assert outlook.running.value == pytest.approx(expected.value, abs=1e-12)
        assert outlook.running.low == pytest.approx(expected.low, abs=1e-12)
        assert outlook.running.trend_per_day == pytest.approx(expected.trend_per_day, abs=1e-12)


def test_it_goes_on_from_where_the_well_stood_and_asks_for_nothing_before() -> None:
    whole = look(None, seen(POINTS))
    for at in (4, 11):
        stood = Standing(filter=whole[at - 1].filter, newest=at - 1, day=POINTS[at - 1].day)
        again = look_on(stood, seen(POINTS[at:], at), POLICY, earlier=never)
        assert list(again) == whole[at:]


@pytest.mark.parametrize(
    "point",
    [
        WellPoint(day=6, efficiency=0.6, half_width=0.05),
        WellPoint(day=2.25, efficiency=0.6, half_width=0.08),
    ],
    ids=["surer than any before", "taken before the newest"],
)
def test_a_point_that_changes_earlier_ones_has_all_of_them_filtered_again(
    point: WellPoint,
) -> None:
    stood = Standing(filter=filter_points(POINTS), newest=11, day=5.5)
    (outlook,) = look(stood, [Sighting(time_point=12, point=point)], POINTS)
    expected = smooth([*POINTS, point])
    assert outlook.running.value == pytest.approx(expected.value, abs=1e-12)
    assert outlook.running.day == expected.day
    # The outlooks after it follow from it.
    later = WellPoint(day=7, efficiency=0.7, half_width=0.09)
    *_, newest = look(stood, [Sighting(time_point=12, point=point), *seen([later], 13)], POINTS)
    assert newest.running.value == pytest.approx(smooth([*POINTS, point, later]).value, abs=1e-12)


def test_a_filter_that_was_not_kept_is_made_again() -> None:
    stood = Standing(filter=None, newest=9, day=4.5)
    outlooks = look(stood, seen(POINTS[10:], 10), POINTS[:10])
    assert [each.running.value for each in outlooks] == pytest.approx(
        [smooth(POINTS[:11]).value, smooth(POINTS).value]
    )


def test_a_time_point_without_a_judged_frame_keeps_the_estimate_of_the_one_before() -> None:
    dark = Sighting(time_point=14, point=None, fault="blank")
    stood = Standing(filter=filter_points(POINTS), newest=11, day=5.5)
    (outlook,) = look_on(stood, [dark], POLICY, earlier=never)
    assert outlook.day == 7.0, "three time points of half a day later"
    assert outlook.running.day == 5.5
    assert isinstance(outlook.forecast, NoForecast)
    assert outlook.forecast.cause is Silence.UNFIT_FRAME
    assert look(None, [dark]) == [], "nothing is known before a frame was judged"
