"""What a well is measured against on a day."""

from scopewatch.core.alerts.observation import Reading, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.estimation.forecast import NoForecast, Silence, WellForecast
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.monitoring.expectation import NOTHING, Basis, Expectation, Standard

WELL = Subject(run="run 7", plate="P1", well="A1")
ENDS = AlertRule(name="ends", kind=RuleKind.WEAK_FORECAST, target=0.5)
READS = AlertRule(name="reads", kind=RuleKind.WEAK_NOW, target=0.586, from_day=8)
EARLY = NoForecast(cause=Silence.TOO_EARLY, reason="from day 4.5 on")


def forecast(value: float) -> WellForecast:
    return WellForecast(
        made_on_day=6,
        final_day=10,
        value=value,
        low=max(value - 0.1, 0),
        high=min(value + 0.1, 1),
        coverage=0.9,
        half_width=0.1,
    )


def reading(value: float, half_width: float = 0.05) -> Reading:
    return Reading(value=value, low=max(value - half_width, 0), high=value + half_width)


def row(day: float, low: float, high: float) -> ForecastDay:
    return ForecastDay(
        day=day,
        intercept=0.5,
        slope=0,
        half_width=0.3,
        better_than_prior=False,
        estimate_range=(low, high),
    )


def expect(
    standard: Standard, day: float, value: float, forecast: WellForecast | NoForecast | None
) -> Expectation:
    return standard.expect(WELL, day=day, now=reading(value), forecast=forecast)


def test_where_there_is_a_forecast_it_is_measured_against_the_target_of_the_forecasts_rule() -> (
    None
):
    standard = Standard(rules=(READS, ENDS), final_day=10)
    found = expect(standard, 9, 0.55, forecast(0.61))
    assert found == Expectation(basis=Basis.FORECAST, value=0.61, expected=0.5)


def test_early_in_the_run_a_well_that_reads_zero_has_no_expectation() -> None:
    standard = Standard(rules=(READS, ENDS), final_day=10)
    assert expect(standard, 2.5, 0.0, EARLY) is NOTHING
    assert expect(standard, 2.5, 0.0, None) is NOTHING


def test_a_target_counts_for_what_is_read_from_the_day_of_its_rule_on() -> None:
    standard = Standard(rules=(READS, ENDS), final_day=10)
    assert expect(standard, 7.9, 0.3, EARLY) is NOTHING
    found = expect(standard, 8, 0.3, EARLY)
    assert found == Expectation(basis=Basis.NOW, value=0.3, expected=0.586)


def test_on_the_final_day_what_is_read_is_measured_against_the_target() -> None:
    standard = Standard(rules=(ENDS,), final_day=10)
    past = NoForecast(cause=Silence.PAST_THE_TABLE, reason="past")
    found = expect(standard, 10.5, 0.3, past)
    assert found == Expectation(basis=Basis.NOW, value=0.3, expected=0.5)


def test_on_the_final_day_what_is_read_counts_and_no_forecast_of_it() -> None:
    standard = Standard(rules=(ENDS,), final_day=10)
    found = expect(standard, 10, 0.32, forecast(0.33))
    assert found == Expectation(basis=Basis.NOW, value=0.32, expected=0.5)


def test_rules_of_other_wells_and_kinds_do_not_count() -> None:
    others = AlertRule(name="others", kind=RuleKind.WEAK_NOW, target=0.9, wells=("B*",))
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, target=0.8)
    standard = Standard(rules=(others, collapse), final_day=10)
    assert expect(standard, 9, 0.3, EARLY) is NOTHING
    assert expect(standard, 9, 0.3, forecast(0.4)).expected is None
    assert standard.targets("run 7") == (0.9,)


def test_a_well_below_all_that_the_models_runs_read_on_that_day_is_below_the_usual() -> None:
    table = (row(0, 0, 0), row(4, 0.2, 0.6), row(8, 0.4, 1))
    standard = Standard(rules=(ENDS,), table=table, final_day=20)
    missing = NoForecast(cause=Silence.OTHER_FINAL_DAY, reason="another final day")
    found = expect(standard, 6, 0.1, missing)
    assert found.basis is Basis.USUAL
    assert found.value == 0.1
    assert found.expected is not None
    assert abs(found.expected - 0.3) < 1e-9
    assert expect(standard, 6, 0.28, missing) is NOTHING
    assert expect(standard, 6, 0.9, missing) is NOTHING
    assert expect(standard, 12, 0.1, missing) is NOTHING


def test_targets_of_a_run_stand_in_the_order_in_which_their_rules_begin() -> None:
    standard = Standard(rules=(READS, ENDS), final_day=10)
    assert standard.targets("run 7") == (0.5, 0.586)
    assert standard.foretold_target(WELL) == 0.5
