"""The early-warning study: what counts as caught, early and false, and what it writes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch.config import load_config
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.errors import ConfigError
from scopewatch.core.estimation.forecast import forecast
from scopewatch_training.forecasting.early_warning.baseline_replay import score_line, score_raw
from scopewatch_training.forecasting.early_warning.command import choose_rules, default_rules
from scopewatch_training.forecasting.early_warning.methods import judge, tune
from scopewatch_training.forecasting.early_warning.page import draw_study, make_section
from scopewatch_training.forecasting.early_warning.plate_replay import PlateReplay
from scopewatch_training.forecasting.early_warning.results import (
    ALONE,
    LINE,
    RAW,
    OperatingPoint,
    Study,
    StudyOutcome,
)
from scopewatch_training.forecasting.early_warning.study import StudyPlan, study_warnings
from scopewatch_training.forecasting.early_warning.table import COLUMNS, list_rows
from scopewatch_training.forecasting.early_warning.wells import Warned, WellWarning
from scopewatch_training.forecasting.forecast_table import fit_forecast
from tests.unit.training.courses_of_wells import FINAL_DAY, make_courses, make_runs


def warned(
    well: str, final: float, *, ever: bool, since: float | None, run: str = "run0"
) -> WellWarning:
    return WellWarning(
        place=(run, "P1", well), final=final, warned=Warned(ever=ever, since_day=since)
    )


def plan(
    rules: Sequence[AlertRule], *, targets: Sequence[float] = (0.5,), rates: Sequence[float] = ()
) -> StudyPlan:
    return StudyPlan(
        rules=tuple(rules), targets=tuple(targets), rates=tuple(rates), final_day=FINAL_DAY
    )


@pytest.fixture(scope="module")
def study() -> Study:
    return study_warnings(make_runs(), plan(choose_rules(None, None), rates=(1.0,)))


def test_a_weak_well_is_caught_while_its_alert_is_open_at_the_end() -> None:
    outcome = judge(
        [
            warned("A1", 0.2, ever=True, since=6.0),
            warned("A2", 0.3, ever=True, since=9.0),
            warned("A3", 0.4, ever=True, since=None),  # raised, and resolved
            warned("A4", 0.49, ever=False, since=None),
        ],
        0.5,
        10.0,
    )

    assert (outcome.weak_wells, outcome.share_caught) == (4, 0.5)
    assert (outcome.median_lead_days, outcome.worst_lead_days) == (2.5, 1.0)
    assert outcome.mean_warning_days == pytest.approx(5 / 4)
    assert outcome.missed == ("run0/P1/A3", "run0/P1/A4")
    assert outcome.false_alarms_per_run == 0


def test_any_alert_of_a_well_that_ends_at_the_target_is_false_even_when_resolved() -> None:
    outcome = judge(
        [
            warned("A1", 0.5, ever=True, since=None),
            warned("A2", 0.9, ever=True, since=7.0),
            warned("A3", 0.9, ever=False, since=None),
            warned("A1", 0.6, ever=False, since=None, run="run1"),
        ],
        0.5,
        10.0,
    )

    assert outcome.false_alarms == ("run0/P1/A1", "run0/P1/A2")
    assert (outcome.false_alarms_per_run, outcome.most_false_alarms) == (1.0, 2)
    assert outcome.share_caught is None


def test_tuning_keeps_within_the_rate_and_takes_the_earliest_warning() -> None:
    def point(setting: float, false: float, mean: float) -> OperatingPoint:
        outcome = judge([warned("A1", 0.2, ever=False, since=None)], 0.5, 10.0)
        changed: StudyOutcome = replace(outcome, false_alarms_per_run=false, mean_warning_days=mean)
        return OperatingPoint(setting={"limit": setting}, outcome=changed)

    points = [point(0.5, 3.0, 4.0), point(0.7, 1.0, 3.0), point(0.8, 0.5, 2.0)]

    assert tune(points, 1.0).setting == {"limit": 0.7}
    assert tune(points, 0.1).setting == {"limit": 0.8}


def test_rules_see_what_the_core_foretells_at_the_same_moment() -> None:
    recorded = make_runs(runs=3, wells=8)
    course = recorded.courses[0]
    table = fit_forecast([day for each in recorded.courses for day in each.days()])
    run, _, well = course.place
    moments = [each for each in recorded.moments if each.place == course.place]
    policy = replace(recorded.plan, run=run, forecast=table, final_day=FINAL_DAY)
    watched = AlertRule(name="all", kind=RuleKind.WEAK_FORECAST, limit=0.0, hysteresis=0.0)
    steps = list(PlateReplay(moments, policy).steps([watched]))

    scores = {
        step.time_point: state.last and state.last.score
        for step in steps
        for (_, subject), state in step.update.states.items()
        if subject.well == well and step.time_point is not None
    }
    expected = forecast(table, course.sights[14].running, FINAL_DAY)

    assert list(scores) == list(range(20))
    assert not hasattr(expected, "reason")
    assert scores[14] == expected.probability_below(watched.target)
    assert scores[0] is None


def test_an_unfit_time_point_neither_counts_for_nor_ends_a_series() -> None:
    recorded = make_runs(runs=3, wells=8)
    table = fit_forecast([day for each in recorded.courses for day in each.days()])
    place = min(recorded.courses, key=lambda course: course.final).place
    moments = [each for each in recorded.moments if each.place == place]
    rule = AlertRule(name="weak", kind=RuleKind.WEAK_FORECAST, consecutive=2)
    policy = replace(recorded.plan, forecast=table, final_day=FINAL_DAY)
    # Every time point is followed by one that cannot be judged.
    gaps = [
        changed
        for each in moments
        for changed in (
            replace(each, time_point=2 * each.time_point),
            replace(
                each, time_point=2 * each.time_point + 1, day=each.day + 0.25, raw=(),
                faults=("out-of-focus",),
            ),
        )
    ]  # fmt: skip

    without = PlateReplay(moments, policy).warnings([rule])
    with_gaps = PlateReplay(gaps, policy).warnings([rule])

    assert with_gaps == without
    assert without[place[2]].ever


def test_baselines_read_the_raw_fraction_and_a_straight_line() -> None:
    course = make_courses(runs=3, wells=8)[0]

    raw = score_raw(course, FINAL_DAY).scores
    line = score_line(course, FINAL_DAY).scores

    assert raw[10] == (5.0, -course.sights[10].raw)
    values = [sight.running.points[-1].efficiency for sight in course.sights[9:13]]
    slope = sum((i - 1.5) * value for i, value in enumerate(values)) / 5 / 0.5
    end = sum(values) / 4 + slope * (FINAL_DAY - 5.25)
    assert line[11][0] == 6.0
    assert line[11][1] == pytest.approx(-min(max(end, 0), 1))


def test_the_study_catches_weak_wells_early_and_its_intervals_hold(study: Study) -> None:
    chosen = study.targets[0].chosen.outcome

    assert chosen.share_caught is not None
    assert chosen.share_caught >= 0.9
    assert chosen.median_lead_days is not None
    assert chosen.median_lead_days >= 3
    assert study.interval_coverage is not None
    assert 0.85 <= study.interval_coverage <= 0.97


def test_no_table_was_fitted_on_the_run_it_judges() -> None:
    recorded = make_runs(runs=3, wells=6)
    # A run with other final efficiencies: a table fitted on it would differ.
    odd = replace(
        recorded,
        finals={
            place: 0.95 - final if place[0] == "run2" else final
            for place, final in recorded.finals.items()
        },
    )
    nothing = plan(choose_rules(None, None), targets=())

    plain, changed = (study_warnings(each, nothing).forecasts for each in (recorded, odd))

    before = [(each.day, each.value) for each in plain if each.run == "run2"]
    assert before == [(each.day, each.value) for each in changed if each.run == "run2"]
    assert before


def test_the_figures_are_json_with_the_keys_that_scripts_rely_on(study: Study) -> None:
    figures = json.loads(json.dumps(study.to_json(), allow_nan=False))

    wanted = {
        "share_caught",
        "median_lead_days",
        "worst_lead_days",
        "false_alarms_per_run",
        "interval_coverage",
        "baselines",
    }
    assert wanted <= figures.keys()
    assert figures["baselines"].keys() == {RAW, LINE}
    (target,) = figures["targets"]
    assert target["others"].keys() == {RAW, LINE, ALONE}
    assert [each["rate"] for each in target["at_false_alarms_per_run"]] == [1.0]
    assert figures["coverage_by_run"].keys() == set(study.runs)


def test_table_picture_and_section_show_the_same(study: Study) -> None:
    rows = list_rows(study)

    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [row[2] for row in rows[:4]] == ["scopewatch", ALONE, RAW, LINE]
    png = draw_study(study, "simulated")
    assert png.startswith(b"\x89PNG")
    section = make_section(study, png)
    assert [row.cells for row in section.tables[0].rows] == rows


def test_two_runs_are_too_few() -> None:
    with pytest.raises(ConfigError, match=r"too few runs .* \(expected at least 3 runs"):
        study_warnings(make_runs(runs=2, wells=2), plan(choose_rules(None, None)))


@pytest.mark.parametrize("first_day", [FINAL_DAY, FINAL_DAY + 1])
def test_a_time_lapse_of_final_days_only_is_refused_in_one_line(first_day: float) -> None:
    recorded = make_runs(runs=3, wells=2)
    last = [
        replace(moment, day=first_day)
        for moment in recorded.moments
        if moment.time_point == max(each.time_point for each in recorded.moments)
    ]
    with pytest.raises(ConfigError) as caught:
        study_warnings(replace(recorded, moments=tuple(last)), plan(choose_rules(None, None)))
    assert str(caught.value) == (
        "time-lapse has no frame of the days before the end: the time-lapse and its final"
        f" efficiencies (expected phase frames of days before day {FINAL_DAY:g}, which could have"
        f" warned, got day {first_day:g} only); add the phase frames of earlier days to the table"
    )


def test_frames_of_the_last_hours_alone_are_judged_without_an_error() -> None:
    recorded = make_runs(runs=3, wells=2)
    last = max(each.time_point for each in recorded.moments)
    hours = [
        replace(moment, day=FINAL_DAY - 0.5 * (last - moment.time_point))
        for moment in recorded.moments
        if moment.time_point >= last - 1
    ]
    study = study_warnings(replace(recorded, moments=tuple(hours)), plan(choose_rules(None, None)))
    assert study.wells == 6


def test_wells_whose_end_is_not_known_count_on_their_plate() -> None:
    recorded = make_runs(runs=3, wells=6)
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.01)
    rules = (choose_rules(None, None)[0], collapse)
    fewer = replace(
        recorded,
        finals={place: end for place, end in recorded.finals.items() if place[2] != "A6"},
    )

    whole, part = (study_warnings(each, plan(rules)) for each in (recorded, fewer))

    # Five wells are too few for the rule of plates; the sixth counts for it, and in no figure.
    assert part.wells == whole.wells - 3
    alone = study_warnings(fewer, plan(rules[:1]))
    assert part.targets[0].chosen != alone.targets[0].chosen


def test_the_rules_are_the_daemons_own_or_those_of_a_configuration(tmp_path: Path) -> None:
    first, *others = choose_rules(None, 0.7)
    config = tmp_path / "config.yaml"
    head = "experiment: {name: run}\nmodel: {bundle: m}\nsources: [{kind: folder, path: in}]\n"
    config.write_text(
        head + "alerts: {rules: [{name: now, target: 0.4, experiments: [run]},"
        " {name: full, kind: disk-low}, {name: plate, kind: plate-collapse},"
        " {name: will, kind: weak-forecast, target: 0.4, p_warning: 0.6}]}\n"
    )
    own = choose_rules(config, None)

    assert (first.kind, first.raise_above) == (RuleKind.WEAK_FORECAST, 0.7)
    assert [rule.kind for rule in others] == [
        RuleKind.WEAK_NOW,
        RuleKind.PLATE_COLLAPSE,
        RuleKind.SUDDEN_CHANGE,
        RuleKind.UNFIT_FRAMES,
    ]
    assert [(rule.name, rule.target) for rule in own] == [
        ("will", 0.4),
        ("now", 0.4),
        ("plate", 0.5),
    ]
    assert not any(rule.runs for rule in own), "the runs of a study are others"
    config.write_text(head)
    with pytest.raises(ConfigError, match="configuration has no rule to replay"):
        choose_rules(config, None)


def test_the_defaults_are_the_rules_of_wells_and_plates_that_are_shipped() -> None:
    shipped = load_config(Path(__file__).parents[3] / "config.yaml").stepped_rules()

    wanted = {replace(rule, name="") for rule in shipped if not rule.kind.of_the_monitor}
    assert {replace(rule, name="") for rule in default_rules()} == wanted
