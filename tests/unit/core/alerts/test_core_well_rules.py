"""What each kind of rule sees in a well."""

from dataclasses import replace

import pytest

from scopewatch.core.alerts.observation import Cause, Reading
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.wells import Look, WellFacts, observe_well
from tests.unit.core.alert_samples import (
    START,
    TOO_EARLY,
    make_forecast,
    make_looks,
    make_well,
)


def rule(kind: RuleKind) -> AlertRule:
    return AlertRule(name="r", kind=kind, target=0.5)


FORECAST = rule(RuleKind.WEAK_FORECAST)
NOW = rule(RuleKind.WEAK_NOW)
UNFIT = rule(RuleKind.UNFIT_FRAMES)
CHANGE = rule(RuleKind.SUDDEN_CHANGE)
OUTLIER = rule(RuleKind.OUTLIER_WELL)

REFUSED = (Look(day=7.5, positive=0.3), Look(day=8, fault="out-of-focus"))


def test_a_forecast_is_as_bad_as_it_is_likely_to_end_below_the_target() -> None:
    well = make_well(forecast=make_forecast(0.4, half_width=0.1))
    seen = observe_well(FORECAST, well, [well])
    assert seen.score == pytest.approx(0.95, abs=0.001)
    assert (seen.at, seen.day) == (START, 8)
    assert seen.evidence.forecast == Reading(value=0.4, low=0.4 - 0.1, high=0.5)
    assert seen.evidence.probability == seen.score
    assert seen.evidence.now is not None
    assert seen.evidence.now.value == pytest.approx(0.3)
    assert len(seen.evidence.points) == 4


def test_without_a_forecast_nothing_is_shown_and_why_is_shown() -> None:
    well = make_well(forecast=TOO_EARLY)
    seen = observe_well(FORECAST, well, [well])
    assert (seen.score, seen.evidence.cannot_forecast) == (None, "too early")


def test_weak_now_is_the_newest_time_point_and_not_the_smoothed_one() -> None:
    well = make_well(efficiency=0.3)
    assert observe_well(NOW, well, [well]).score == pytest.approx(0.2)


@pytest.mark.parametrize("which", [FORECAST, NOW, CHANGE, OUTLIER])
def test_a_time_point_that_could_not_be_judged_says_nothing(which: AlertRule) -> None:
    well = make_well(forecast=make_forecast(0.1), looks=REFUSED)
    plate = [well, *(make_well(f"A{column}", efficiency=0.8) for column in range(1, 6))]
    assert observe_well(which, well, plate).score is None


@pytest.mark.parametrize("which", [FORECAST, NOW, CHANGE, OUTLIER, UNFIT])
def test_a_well_without_any_time_point_says_nothing(which: AlertRule) -> None:
    well = make_well(efficiency=None, forecast=None, looks=())
    assert observe_well(which, well, [well]).score is None


def test_frames_that_cannot_be_judged_are_counted_in_a_row() -> None:
    looks = (Look(day=7, fault="blank"), Look(day=7.5, positive=0.3), *REFUSED[1:])
    well = make_well(looks=(*looks, Look(day=8.5, fault="blank")))
    seen = observe_well(UNFIT, well, [well])
    assert (seen.score, seen.evidence.detail) == (1, "blank")
    assert seen.evidence.measures == {"in_a_row": 2}
    fit = make_well()
    assert observe_well(UNFIT, fit, [fit]).score == 0


def test_a_jump_is_seen_with_what_it_looks_like() -> None:
    looks = make_looks(*[{"coverage": 0.95}] * 4, {"coverage": 0.5})
    well = make_well(looks=looks)
    seen = observe_well(CHANGE, well, [well])
    assert seen.score == pytest.approx(0.45 / 0.2)
    assert seen.evidence.cause is Cause.DETACHMENT
    assert seen.evidence.measures == {"coverage_before": 0.95, "coverage_after": 0.5}


def test_few_time_points_are_no_base_for_a_jump() -> None:
    well = make_well(looks=make_looks({"coverage": 0.95}, {"coverage": 0.3}))
    assert observe_well(CHANGE, well, [well]).score is None


def test_a_well_of_which_no_frame_was_ever_judged_is_unfit_from_the_first() -> None:
    looks = tuple(Look(day=day, fault="blank") for day in (0, 0.5, 1))
    well = make_well(efficiency=None, forecast=None, looks=looks)
    seen = observe_well(UNFIT, well, [well])
    assert (seen.score, seen.evidence.measures) == (1, {"in_a_row": 3})


def test_a_steady_well_has_no_cause_for_concern() -> None:
    well = make_well(looks=make_looks(*[{"coverage": 0.95}] * 6))
    seen = observe_well(CHANGE, well, [well])
    assert (seen.score, seen.evidence.cause) == (0, None)


def test_time_points_that_could_not_be_judged_are_passed_over_in_a_jump() -> None:
    steady = make_looks(*[{"coverage": 0.95}] * 4)
    looks = (*steady, Look(day=2, fault="blank"), Look(day=2.5, measures={"coverage": 0.5}))
    well = make_well(looks=looks)
    assert observe_well(CHANGE, well, [well]).score == pytest.approx(2.25)


def plate(low: float = 0.2) -> list[WellFacts]:
    values = {"A1": 0.7, "A2": 0.72, "A3": 0.68, "A4": 0.71, "B1": 0.2, "B2": 0.21, "B3": low}
    return [make_well(name, efficiency=value) for name, value in values.items()]


def test_a_well_far_below_its_replicates_is_an_outlier() -> None:
    wells = plate()
    groups = replace(OUTLIER, replicates=(("A*", "B3"), ("B*",)))
    odd = wells[-1]
    seen = observe_well(groups, odd, wells)
    assert seen.score is not None
    assert seen.score > 10
    assert seen.evidence.measures["median"] == pytest.approx(0.705)
    assert seen.evidence.measures["count"] == 4
    # Its neighbours are not, and it does not drag their median down.
    fine = observe_well(groups, wells[0], wells)
    assert fine.score is not None
    assert abs(fine.score) < 1


def test_without_groups_the_whole_plate_are_replicates() -> None:
    wells = [make_well(f"A{column}", efficiency=0.7) for column in range(1, 6)]
    wells.append(make_well("A6", efficiency=0.3))
    seen = observe_well(OUTLIER, wells[-1], wells)
    # Replicates that agree exactly still leave four points of play.
    assert seen.score == pytest.approx(0.4 / 0.04)


def test_a_well_of_no_group_or_with_too_few_replicates_is_not_judged() -> None:
    wells = plate()
    assert observe_well(replace(OUTLIER, replicates=(("A*",),)), wells[-1], wells).score is None
    assert observe_well(replace(OUTLIER, replicates=(("B*",),)), wells[-1], wells).score is None
