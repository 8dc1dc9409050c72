"""What is on a well's flag."""

import pytest

from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.estimation.forecast import NoForecast, Silence, WellForecast
from scopewatch.web.labels import label_of
from tests.unit.web.fakes import flag, outlook, well_row


def foretold(value: float) -> WellForecast:
    return WellForecast(
        made_on_day=6.5,
        final_day=10,
        value=value,
        low=max(value - 0.1, 0),
        high=value + 0.1,
        coverage=0.9,
        half_width=0.1,
    )


ENDS = flag(kind=RuleKind.WEAK_FORECAST, probability=0.86)


@pytest.mark.parametrize(
    ("value", "word", "sure"), [(0.06, "ENDS WEAK", True), (0.47, "ENDS WEAK?", False)]
)
def test_a_forecast_is_sure_by_its_probability(value: float, word: str, sure: bool) -> None:
    label = label_of(ENDS, well_row("A1", 0.06, outlook=outlook(foretold(value))))
    assert (label.word, label.sure) == (word, sure)


def test_without_a_forecast_now_the_probability_of_the_alert_counts() -> None:
    none = outlook(NoForecast(cause=Silence.UNFIT_FRAME, reason="blurred"))
    row = well_row("A1", 0.06, outlook=none)
    assert not label_of(ENDS, row).sure
    assert label_of(flag(kind=RuleKind.WEAK_FORECAST, probability=0.99), row).sure


@pytest.mark.parametrize(
    ("value", "word", "sure"), [(0.3, "WEAK NOW", True), (0.45, "WEAK NOW?", False)]
)
def test_weak_now_is_sure_where_the_interval_lies_below_the_target(
    value: float, word: str, sure: bool
) -> None:
    label = label_of(flag(), well_row("A1", value))
    assert (label.word, label.sure) == (word, sure)


def test_other_alerts_are_findings_and_bear_no_question_mark() -> None:
    label = label_of(flag(kind=RuleKind.UNFIT_FRAMES), well_row("A1"))
    assert (label.word, label.sure, label.critical) == ("UNFIT", True, False)
    assert label_of(flag(severity=Severity.CRITICAL), well_row("A1")).critical
