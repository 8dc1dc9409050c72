"""The early-warning study: what counts as caught, early and false, and what it writes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.errors import ConfigError
from scopewatch.core.estimation.forecast import forecast
from scopewatch_training.forecasting.early_warning import judge, study_warnings, tune
from scopewatch_training.forecasting.early_warning_command import choose_rules
from scopewatch_training.forecasting.early_warning_page import draw_study, make_section
from scopewatch_training.forecasting.early_warning_results import (
    ALONE,
    LINE,
    RAW,
    OperatingPoint,
    Outcome,
    Study,
)
from scopewatch_training.forecasting.early_warning_table import COLUMNS, list_rows
from scopewatch_training.forecasting.forecast_table import fit_forecast
from scopewatch_training.forecasting.replay import (
    Told,
    either,
    replay_forecast,
    replay_line,
    replay_raw,
    watch,
)
from tests.unit.training.courses_of_wells import FINAL_DAY, make_courses


def told(well: str, final: float, *, ever: bool, since: float | None, run: str = "run0") -> Told:
    return Told(place=(run, "P1", well), final=final, ever=ever, since_day=since)


@pytest.fixture(scope="module")
def study() -> Study:
    return study_warnings(make_courses(), choose_rules(None, None), (0.5,), (1.0,), FINAL_DAY)


def test_a_weak_well_is_caught_while_its_alert_stands_to_the_end() -> None:
    outcome = judge(
        [
            told("A1", 0.2, ever=True, since=6.0),
            told("A2", 0.3, ever=True, since=9.0),
            told("A3", 0.4, ever=True, since=None),  # raised, and taken back
            told("A4", 0.49, ever=False, since=None),
        ],
        0.5,
        10.0,
    )

    assert (outcome.weak_wells, outcome.share_caught) == (4, 0.5)
    assert (outcome.median_lead_days, outcome.worst_lead_days) == (2.5, 1.0)
    assert outcome.mean_warning_days == pytest.approx(5 / 4)
    assert outcome.missed == ("run0/P1/A3", "run0/P1/A4")
    assert outcome.false_alarms_per_run == 0


def test_any_alert_of_a_well_that_ends_at_the_target_is_false_even_when_taken_back() -> None:
    outcome = judge(
        [
            told("A1", 0.5, ever=True, since=None),
            told("A2", 0.9, ever=True, since=7.0),
            told("A3", 0.9, ever=False, since=None),
            told("A1", 0.6, ever=False, since=None, run="run1"),
        ],
        0.5,
        10.0,
    )

    assert outcome.false_alarms == ("run0/P1/A1", "run0/P1/A2")
    assert (outcome.false_alarms_per_run, outcome.most_false_alarms) == (1.0, 2)
    assert outcome.share_caught is None


def test_of_two_rules_whichever_spoke_first_counts() -> None:
    both = either([told("A1", 0.2, ever=True, since=8.0), told("A1", 0.2, ever=True, since=6.5)])
    one = either([told("A1", 0.2, ever=False, since=None), told("A1", 0.2, ever=True, since=None)])

    assert both.since_day == 6.5
    assert (one.ever, one.since_day) == (True, None)


def test_tuning_keeps_within_the_rate_and_takes_the_earliest_warning() -> None:
    def point(setting: float, false: float, mean: float) -> OperatingPoint:
        outcome = judge([told("A1", 0.2, ever=False, since=None)], 0.5, 10.0)
        changed: Outcome = replace(outcome, false_alarms_per_run=false, mean_warning_days=mean)
        return OperatingPoint(setting={"limit": setting}, outcome=changed)

    points = [point(0.5, 3.0, 4.0), point(0.7, 1.0, 3.0), point(0.8, 0.5, 2.0)]

    assert tune(points, 1.0).setting == {"limit": 0.7}
    assert tune(points, 0.1).setting == {"limit": 0.8}


def test_the_replay_says_what_the_core_says_of_the_same_moment() -> None:
    courses = make_courses(runs=3, wells=8)
    table = fit_forecast([day for course in courses for day in course.days()])
    rule = choose_rules(None, None)[0]
    sight = courses[0].sights[14]

    seen = replay_forecast(courses[0], table, rule, FINAL_DAY).observations

    expected = forecast(table, sight.running, FINAL_DAY)
    assert [each.day for each in seen] == [time_point / 2 for time_point in range(20)]
    assert not hasattr(expected, "reason")
    assert seen[14].score == expected.probability_below(rule.target)
    assert seen[0].score is None


def test_an_unfit_time_point_neither_feeds_nor_breaks_a_series() -> None:
    course = make_courses(runs=3, wells=8)[0]
    table = fit_forecast([day for each in make_courses(runs=3, wells=8) for day in each.days()])
    rule = AlertRule(name="weak", kind=RuleKind.WEAK_FORECAST, consecutive=2)
    gap = replace(course, unfit=((7.25, "out-of-focus"),))

    seen = replay_forecast(gap, table, rule, FINAL_DAY)

    assert [each.score for each in seen.observations if each.day == 7.25] == [None]
    without = watch(replay_forecast(course, table, rule, FINAL_DAY), rule)
    assert watch(seen, rule).since_day == without.since_day


def test_baselines_read_the_raw_fraction_and_a_straight_line() -> None:
    course = make_courses(runs=3, wells=8)[0]

    raw = replay_raw(course, FINAL_DAY).observations
    line = replay_line(course, FINAL_DAY).observations

    assert raw[10].score == -course.sights[10].raw
    values = [sight.running.points[-1].efficiency for sight in course.sights[9:13]]
    slope = sum((i - 1.5) * value for i, value in enumerate(values)) / 5 / 0.5
    end = sum(values) / 4 + slope * (FINAL_DAY - 5.25)
    assert line[11].day == 6.0
    assert line[11].score == pytest.approx(-min(max(end, 0), 1))


def test_the_study_catches_weak_wells_early_and_its_intervals_hold(study: Study) -> None:
    chosen = study.targets[0].chosen.outcome

    assert chosen.share_caught is not None
    assert chosen.share_caught >= 0.9
    assert chosen.median_lead_days is not None
    assert chosen.median_lead_days >= 3
    assert study.interval_coverage is not None
    assert 0.85 <= study.interval_coverage <= 0.97


def test_no_table_was_fitted_on_the_run_it_judges() -> None:
    courses = make_courses(runs=3, wells=6)
    # A run that ends elsewhere than all others: a table that knew it would bend towards it.
    odd = [
        replace(course, final=0.95 - course.final) if course.run == "run2" else course
        for course in courses
    ]
    rules = choose_rules(None, None)

    plain, changed = (
        study_warnings(each, rules, (), (), FINAL_DAY).foretold for each in (courses, odd)
    )

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


def test_table_picture_and_section_tell_the_same(study: Study) -> None:
    rows = list_rows(study)

    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [row[2] for row in rows[:4]] == ["scopewatch", ALONE, RAW, LINE]
    png = draw_study(study, "simulated")
    assert png.startswith(b"\x89PNG")
    section = make_section(study, png)
    assert [row.cells for row in section.tables[0].rows] == rows


def test_two_runs_are_too_few() -> None:
    with pytest.raises(ConfigError, match=r"too few runs .* \(expected at least 3 runs"):
        study_warnings(
            make_courses(runs=2, wells=2), choose_rules(None, None), (0.5,), (), FINAL_DAY
        )


def test_the_rules_are_the_daemons_own_or_those_of_a_configuration(tmp_path: Path) -> None:
    first, second = choose_rules(None, 0.7)
    config = tmp_path / "config.yaml"
    head = "experiment: {name: run}\nmodel: {bundle: m}\nsources: [{kind: folder, path: in}]\n"
    config.write_text(
        head + "alerts: {rules: [{name: now, target: 0.4},"
        " {name: will, kind: weak-forecast, target: 0.4, p_warning: 0.6}]}\n"
    )
    own = choose_rules(config, None)

    assert (first.kind, first.raise_above) == (RuleKind.WEAK_FORECAST, 0.7)
    assert second.kind is RuleKind.WEAK_NOW
    assert [(rule.name, rule.target) for rule in own] == [("will", 0.4), ("now", 0.4)]
    config.write_text(head)
    with pytest.raises(ConfigError, match="configuration has no rule to replay"):
        choose_rules(config, None)
