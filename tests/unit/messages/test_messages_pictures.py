"""Pictures of a well's trend and of a plate."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scopewatch.core.alerts.observation import Reading
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.core.imaging.caption import AMBER, PAPER
from scopewatch.messages.chart_data import STRETCHES, PlateMap, PlateWell, Trend, thinned
from scopewatch.messages.plate_picture import COLOURS, EMPTY, PLAIN, colour_of, draw_plate
from scopewatch.messages.trend_picture import BLUE, BOTTOM, HEIGHT, ROSE, TOP, WIDTH, draw_trend

fractions = st.floats(0, 1)


def trend(*, forecast: Reading | None = None, target: float | None = 0.5, **fields: bool) -> Trend:
    points = tuple(WellPoint(day=4 + d / 2, efficiency=d / 20, half_width=0.05) for d in range(7))
    now = Reading(value=0.3, low=0.25, high=0.35)
    return Trend(
        name="run7 / P1 / B3",
        points=points,
        day=7,
        now=now,
        forecast=forecast,
        final_day=10,
        target=target,
        **fields,
    )


def count(picture: NDArray[np.uint8], colour: Sequence[int]) -> int:
    return int((picture == np.array(colour, dtype=np.uint8)).all(axis=2).sum())


def row_of(value: float) -> int:
    return round(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM))


def test_the_target_lies_at_its_height_on_an_axis_from_0_to_100() -> None:
    picture = draw_trend(trend(target=0.5))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    amber = (picture == np.array(AMBER, dtype=np.uint8)).all(axis=2).sum(axis=1)
    assert abs(int(amber.argmax()) - row_of(0.5)) <= 1
    assert count(draw_trend(trend(target=None)), AMBER) == 0


def test_the_forecast_is_drawn_apart_from_what_was_measured() -> None:
    without = draw_trend(trend())
    with_it = draw_trend(trend(forecast=Reading(value=0.4, low=0.3, high=0.55)))
    assert count(without, BLUE) > 100
    assert count(without, ROSE) == 0
    assert count(with_it, ROSE) > 100
    rose = np.argwhere((with_it == np.array(ROSE, dtype=np.uint8)).all(axis=2))
    whisker = rose[rose[:, 1] > WIDTH - 60]
    assert abs(whisker[:, 0].min() - row_of(0.55)) <= 2
    assert abs(whisker[:, 0].max() - row_of(0.3)) <= 2


def test_a_simulated_picture_says_so_on_an_amber_plate() -> None:
    plain, marked = draw_trend(trend(target=None)), draw_trend(trend(target=None, simulated=True))
    assert count(plain, AMBER) == 0
    assert count(marked, AMBER) > 1000


@settings(deadline=None)
@given(
    points=st.lists(
        st.builds(WellPoint, day=st.floats(0, 60), efficiency=fractions, half_width=fractions),
        min_size=1,
        max_size=30,
    ),
    values=st.tuples(fractions, fractions, fractions),
    final_day=st.floats(0, 60),
    name=st.text(max_size=60),
)
def test_any_course_can_be_drawn(
    points: list[WellPoint], values: tuple[float, float, float], final_day: float, name: str
) -> None:
    low, value, high = sorted(values)
    reading = Reading(value=value, low=low, high=high)
    drawn = draw_trend(
        Trend(
            name=name,
            points=tuple(points),
            day=max(point.day for point in points),
            now=reading,
            forecast=reading,
            final_day=final_day,
            target=value,
        )
    )
    assert drawn.shape == (HEIGHT, WIDTH, 3)


def test_a_trend_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        Trend(name="B3", points=(), day=1)


def test_a_colour_shows_the_distance_of_a_well_from_the_target() -> None:
    colours = [colour_of(value, 0.5) for value in (0.2, 0.3, 0.45, 0.5, 0.65, 0.9)]
    assert colours == list(COLOURS)
    assert colour_of(0.3, None) == PLAIN


@pytest.mark.parametrize("wells", [1, 6, 24, 96, 384])
def test_a_plate_of_any_format_shows_each_well_in_its_colour(wells: int) -> None:
    columns = {1: 1, 6: 3, 24: 6, 96: 12, 384: 24}[wells]
    names = [f"{'ABCDEFGHIJKLMNOP'[n // columns]}{n % columns + 1}" for n in range(wells)]
    low = PlateMap(plate="P1", target=0.5, wells=tuple(PlateWell(well=n, value=0.1) for n in names))
    picture = draw_plate(low)
    assert count(picture, COLOURS[0]) > wells * 300
    assert count(picture, COLOURS[-1]) < 1000, "the legend alone"


def test_a_flag_and_silence_are_seen_without_colour() -> None:
    def drawn(**fields: bool) -> int:
        wells = (PlateWell(well="A1", value=0.9, **fields), PlateWell(well="B3", value=None))
        return count(draw_plate(PlateMap(plate="P1", wells=wells, target=0.5)), (255, 255, 255))

    assert drawn(flagged=True) > drawn(stale=True) > drawn() == 0


def test_a_well_never_judged_has_no_colour() -> None:
    empty = PlateMap(plate="P1", wells=(PlateWell(well="A1", value=None),), target=0.5)
    assert count(draw_plate(empty), EMPTY) > 1000


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            PlateWell,
            well=st.one_of(st.text(max_size=20), st.sampled_from(["A1", "B03", "P24", "H12"])),
            value=st.none() | fractions,
            foretold=st.booleans(),
            flagged=st.booleans(),
            stale=st.booleans(),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_wells_of_any_name_can_be_drawn(wells: list[PlateWell]) -> None:
    picture = draw_plate(PlateMap(plate="P1", wells=tuple(wells), target=0.5))
    assert tuple(picture[0, 0]) == PAPER


def test_a_long_course_is_thinned_to_what_a_chart_shows_and_keeps_its_outliers() -> None:
    course = [
        WellPoint(day=at / 96, efficiency=0.3 + 0.0001 * at, half_width=0.05) for at in range(1344)
    ]
    course[700] = WellPoint(day=700 / 96, efficiency=0.9, half_width=0.05)
    course[701] = WellPoint(day=701 / 96, efficiency=0.0, half_width=0.05)
    kept = thinned(course)
    assert len(kept) <= 2 * STRETCHES + 2
    assert {course[0], course[700], course[701], course[-1]} <= set(kept)
    assert list(kept) == sorted(kept, key=lambda point: point.day)
    gaps = [later.day - earlier.day for earlier, later in pairwise(kept)]
    assert max(gaps) < 14 / STRETCHES * 2


def test_a_course_that_a_chart_can_show_is_kept_whole() -> None:
    course = [WellPoint(day=at, efficiency=0.5, half_width=0.1) for at in range(2 * STRETCHES)]
    assert thinned(course) == tuple(course)
