"""Rules that cannot raise an alert are named before the run."""

from typing import Any

from scopewatch.app.checking.rules import advise_on_rules, describe_rules
from scopewatch.config import Config
from tests.unit.core.samples import make_card

SILENCE = {"name": "no frames", "kind": "no-frames"}
FORECAST = {"name": "will end weak", "kind": "weak-forecast"}
TABLE = [
    {"day": day, "intercept": 0, "slope": 1, "half_width": 0.1, "better_than_prior": day >= 6}
    for day in (4, 6, 8, 10)
]


def configure(*rules: dict[str, Any], **run: Any) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run7", **run},
            "model": {"bundle": "model"},
            "sources": [{"kind": "folder", "path": "frames"}],
            "alerts": {"rules": rules},
        }
    )


def advice(*rules: dict[str, Any], table: list[dict[str, Any]], **run: Any) -> list[str]:
    card = make_card(forecast=table)
    return list(advise_on_rules(configure(*rules, **run), card))


def test_rules_that_fit_their_model_need_no_advice() -> None:
    assert advice(FORECAST, SILENCE, {"name": "weak"}, table=TABLE) == []
    assert advice(table=TABLE) == []


def test_the_first_day_of_a_forecast_is_reported() -> None:
    card = make_card(forecast=TABLE)
    assert describe_rules(configure(FORECAST, SILENCE), card) == "2 rules; forecasts from day 6 on"
    assert describe_rules(configure(SILENCE), make_card()) == "1 rule; no forecast"


def test_a_forecast_without_a_table_stays_silent() -> None:
    (line,) = advice(FORECAST, SILENCE, table=[])
    assert line.startswith("rule 'will end weak' stays silent: the model's card has no forecast")


def test_a_run_of_another_length_stays_silent() -> None:
    (line,) = advice(FORECAST, SILENCE, table=TABLE, final_day=14)
    assert "the model foretells day 10, this run ends on day 14" in line


def test_a_probability_that_the_card_cannot_give_is_named() -> None:
    few = [row | {"errors": [-0.1, 0.0, 0.0, 0.1]} for row in TABLE]
    (line,) = advice(FORECAST, SILENCE, table=few)
    assert "never reaches its p_critical of 0.95" in line
    assert "up to 0.875 only" in line


def test_a_rule_that_begins_after_the_end_is_named() -> None:
    (line,) = advice(SILENCE, {"name": "weak", "from_day": 12}, table=TABLE)
    assert "begins on day 12, after the run's end on day 10" in line


def test_an_outlier_without_groups_compares_the_whole_plate() -> None:
    odd = {"name": "odd", "kind": "outlier-well"}
    (line,) = advice(SILENCE, odd, table=TABLE)
    assert "compares all wells of a plate" in line
    assert advice(SILENCE, odd, table=TABLE, well_groups={"control": ["A*"]}) == []


def test_the_lack_of_a_rule_for_missing_frames_gets_a_note() -> None:
    (line,) = advice({"name": "weak"}, table=TABLE)
    assert line == "no rule tells of frames that stop coming; add one of kind no-frames"
