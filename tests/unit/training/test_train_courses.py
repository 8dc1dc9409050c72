"""Courses of wells: running estimates as the daemon's, and the table of their ends."""

from pathlib import Path

import pytest

from scopewatch.core.alerts.wells import Look
from scopewatch.core.errors import ConfigError
from scopewatch.core.estimation.forecast import NoForecast
from scopewatch.core.estimation.smoothing import WellPoint, smooth
from scopewatch_training.forecasting.courses import (
    Course,
    follow_wells,
    outlooks_of,
    plan_of,
    read_finals,
)
from scopewatch_training.forecasting.timelapse import Moment, Well
from tests.unit.training.courses_of_wells import RATES

PLACE = "run1", "P1", "A1"


def moment(time_point: int, *raw: float, faults: tuple[str, ...] = ()) -> Moment:
    return Moment(
        place=PLACE, time_point=time_point, day=time_point / 2, raw=tuple(raw), faults=faults
    )


def follow(moments: list[Moment], finals: dict[Well, float]) -> list[Course]:
    return follow_wells(moments, finals, plan_of(moments, RATES))


def test_a_sight_is_the_running_estimate_of_all_points_up_to_it() -> None:
    (course,) = follow([moment(2, 0.3), moment(0, 0.1), moment(1, 0.2)], {PLACE: 0.6})

    assert [sight.day for sight in course.sights] == [0.0, 0.5, 1.0]
    points = [WellPoint(day=d, efficiency=v, half_width=0.05) for d, v in ((0, 0.1), (0.5, 0.2))]
    assert course.sights[1].running.value == pytest.approx(smooth(points).value)
    assert course.sights[1].running.trend_per_day > 0
    assert course.days()[2].trend == course.sights[2].running.trend_per_day


def test_sites_that_scatter_widen_a_points_interval() -> None:
    (course,) = follow([moment(0, 0.3, 0.5)], {PLACE: 0.6})

    (point,) = course.sights[0].running.points
    assert point.efficiency == pytest.approx(0.4)
    assert point.half_width > 0.15


def test_a_moment_without_a_judged_site_is_no_sight_and_has_no_forecast() -> None:
    moments = [moment(0, 0.1), moment(1, faults=("out-of-focus",)), moment(2, 0.3)]

    (course,) = follow(moments, {PLACE: 0.6})

    assert [sight.time_point for sight in course.sights] == [0, 2]
    _, unfit, _ = outlooks_of(moments, plan_of(moments, RATES))
    assert unfit.moment.look() == Look(day=0.5, fault="out-of-focus")
    assert unfit.running == course.sights[0].running
    assert isinstance(unfit.forecast, NoForecast)


def test_the_plan_of_time_lapses_is_read_from_them() -> None:
    moments = [moment(0, 0.1, 0.2), moment(2, 0.3), moment(3, 0.3, faults=("blank", "blank"))]

    plan = plan_of(moments, RATES)

    assert (plan.interval_h, plan.final_day, plan.sites_per_well) == (12.0, 1.5, 3)


def test_wells_without_a_known_end_are_left_out() -> None:
    assert follow([moment(0, 0.1)], {("run2", "P1", "A1"): 0.5}) == []


def test_ends_are_averaged_over_sites_however_many_frames_a_site_has(tmp_path: Path) -> None:
    table = tmp_path / "truth.csv"
    table.write_text(
        "run,plate,well,site,time_point,final_efficiency\n"
        "run1,P1,A1,0,0,0.2\nrun1,P1,A1,0,1,0.2\nrun1,P1,A1,1,0,0.6\n"
    )

    assert read_finals(table) == {PLACE: pytest.approx(0.4)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run,plate\n", r"no column well, site, final_efficiency"),
        (
            "run,plate,well,site,final_efficiency\nr,P1,A1,0,60\n",
            r"line 2: 60 is no fraction \(of per cent write 0.6\)",
        ),
        (
            "run,plate,well,site,final_efficiency\nr,P1,A1,0,60 %\n",
            r"line 2: 60 % is no fraction \(of per cent write 0.6\)",
        ),
        (
            "run,plate,well,site,final_efficiency\nr,P1,A1,0,0.6\nr,P1,A1,0,0.2\n",
            "line 3: r/P1/A1 site 0 comes to 0.2, and to 0.6 before",
        ),
        ("run,plate,well,site,final_efficiency\nr,P1,A1,0,x\n", "line 2: x is no fraction"),
        ("run,plate,well,site,final_efficiency\nr,P1,A1,0,nan\n", "line 2: nan is no fraction"),
    ],
)
def test_a_wrong_table_of_ends_is_refused(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / "truth.csv"
    table.write_text(text)

    with pytest.raises(ConfigError, match=words):
        read_finals(table)
