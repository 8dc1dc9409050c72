"""Which rules `config.yaml` may hold, and the core rules they become."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from scopewatch.config import AlertsConfig, Config, RuleConfig
from scopewatch.config.rule import QuietHoursConfig
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity


def configure(
    rules: list[dict[str, Any]], alerts: dict[str, Any] | None = None, **run: Any
) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run7", **run},
            "model": {"bundle": "model"},
            "sources": [{"kind": "folder", "path": "frames"}],
            "alerts": {"rules": rules, **(alerts or {})},
        }
    )


def only(config: Config) -> AlertRule:
    (rule,) = config.alert_rules()
    return rule


def refused(rules: list[dict[str, Any]], **run: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        configure(rules, **run)
    return str(caught.value)


def test_a_rule_without_a_kind_watches_what_it_always_did() -> None:
    rule = only(
        configure(
            [
                {
                    "name": "weak",
                    "target": 0.6,
                    "from_day": 7,
                    "consecutive": 2,
                    "hysteresis": 0.1,
                    "severity": "critical",
                }
            ]
        )
    )
    assert rule.kind is RuleKind.WEAK_NOW
    assert (rule.target, rule.from_day, rule.consecutive) == (0.6, 7, 2)
    assert (rule.hysteresis, rule.severity) == (0.1, Severity.CRITICAL)
    assert (rule.raise_above, rule.critical_limit) == (0, None)


@pytest.mark.parametrize("kind", list(RuleKind))
def test_every_kind_of_rule_needs_no_more_than_its_name(kind: RuleKind) -> None:
    rule = only(configure([{"name": "any", "kind": kind.value}]))
    assert rule.kind is kind
    assert rule.bad(rule.raise_above + 1e-6)


@pytest.mark.parametrize(
    ("fields", "limits"),
    [
        ({"kind": "weak-forecast", "p_warning": 0.6, "p_critical": 0.9}, (0.6, 0.9)),
        ({"kind": "weak-now", "target": 0.5, "critical_target": 0.2}, (0.0, 0.3)),
        ({"kind": "plate-collapse", "share": 0.4}, (0.4, None)),
        ({"kind": "outlier-well", "z": 5}, (5, None)),
        ({"kind": "sudden-change", "size": 1.5}, (1.5, None)),
        ({"kind": "no-frames", "intervals": 3, "critical_intervals": None}, (3, None)),
        ({"kind": "source-dead", "minutes": 3, "critical_minutes": 30}, (3, 30)),
        ({"kind": "disk-low", "free_gb": 20, "critical_free_gb": 2}, (-20, -2)),
    ],
)
def test_limits_are_given_in_words_of_the_kind(
    fields: dict[str, Any], limits: tuple[float, float | None]
) -> None:
    rule = only(configure([{"name": "any", **fields}]))
    assert (rule.raise_above, rule.critical_limit) == limits


def test_a_rule_may_watch_a_group_of_wells() -> None:
    groups = {"control": ["A1:A3"], "drug": ["B*"]}
    rule = only(
        configure(
            [{"name": "weak", "kind": "weak-forecast", "groups": ["control"], "plates": ["P*"]}],
            well_groups=groups,
        )
    )
    assert rule.covers("run7", "P1", "A2")
    assert not rule.covers("run7", "P1", "B2")
    assert not rule.covers("run7", "Q1", "A2")


def test_replicates_are_the_wells_of_a_group() -> None:
    groups = {"control": ["A1:A3"], "drug": ["B*"]}
    rule = only(configure([{"name": "odd", "kind": "outlier-well"}], well_groups=groups))
    assert rule.replicates == (("A1:A3",), ("B*",))
    assert rule.wells == ()


def test_quiet_hours_hold_for_rules_that_name_none() -> None:
    night = {"start": "22:00", "end": "07:00", "zone": "Asia/Tokyo"}
    own = {"start": "12:00", "end": "13:00", "zone": "Asia/Tokyo"}
    config = configure(
        [{"name": "weak"}, {"name": "strict", "quiet_hours": own}], {"quiet_hours": night}
    )
    weak, strict = (rule.quiet_hours for rule in config.alert_rules())
    midnight_in_tokyo = datetime(2026, 3, 1, 15, tzinfo=UTC)
    assert weak is not None
    assert strict is not None
    assert weak.hold(midnight_in_tokyo)
    assert not strict.hold(midnight_in_tokyo)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "gloomy"}, "kind is none of weak-forecast, weak-now"),
        ({"kind": "weak-now", "p_warning": 0.8}, "Extra inputs are not permitted"),
        ({"kind": "weak-forecast", "p_warning": 0.9, "p_critical": 0.8}, "p_critical lies below"),
        ({"wells": ["A1:"]}, "is no range of wells such as A1:B6"),
        ({"wells": ["B6:A1"]}, "runs backwards"),
        ({"wells": ["A1:A49"]}, "names a well that no plate has"),
        ({"groups": ["control"]}, "names group control; the groups of experiment.well_groups"),
        ({"kind": "disk-low", "wells": ["A1"]}, "Extra inputs are not permitted"),
        ({"critical_target": 0.7}, "critical_target lies above target"),
        ({"wells": ["A1"], "groups": ["control"]}, "give wells or groups, not both"),
        ({"wells": [" "]}, "pattern of wells ' ' is empty"),
        ({"kind": "no-frames", "intervals": 5}, "critical_intervals is less than intervals"),
        ({"kind": "source-dead", "minutes": 90}, "critical_minutes is less than minutes"),
        ({"kind": "disk-low", "free_gb": 0.5}, "critical_free_gb is more than free_gb"),
        (
            {"quiet_hours": {"start": 1320, "end": "07:00", "zone": "UTC"}},
            'write the time in quotes, "22:00"',
        ),
        (
            {"quiet_hours": {"start": "22:00+09:00", "end": "07:00", "zone": "UTC"}},
            "give the time without a zone",
        ),
        (
            {"quiet_hours": {"start": "22:00", "end": "07:00", "zone": "Mars"}},
            "no such time zone; give an IANA name",
        ),
        (
            {"quiet_hours": {"start": "07:00", "end": "07:00", "zone": "UTC"}},
            "start and end at one time",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, Any], message: str) -> None:
    assert message in refused([{"name": "any", **rule}])


def test_a_time_that_yaml_takes_for_a_number_is_refused() -> None:
    text = "{start: 22:00, end: 07:00, zone: Asia/Tokyo}"
    assert yaml.safe_load(text)["start"] == 1320
    with pytest.raises(ValidationError, match="write the time in quotes"):
        QuietHoursConfig.model_validate(yaml.safe_load(text))


def test_a_rule_that_is_one_already_is_taken_as_it_is() -> None:
    rule = RuleConfig(name="weak")
    assert AlertsConfig(rules=(rule,)).rules == (rule,)


def test_a_group_without_wells_is_refused() -> None:
    assert "group 'control' holds no well" in refused([], well_groups={"control": []})
