"""Alert rules and quiet hours: their defaults, their kinds, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity

WEAK = AlertRule(name="weak", target=0.5)


def test_a_rule_is_a_warning_of_a_well_that_is_weak_now_unless_set_otherwise() -> None:
    assert (WEAK.severity, WEAK.kind) == (Severity.WARNING, RuleKind.WEAK_NOW)


def test_each_kind_is_of_wells_or_of_plates_or_of_the_monitor() -> None:
    for kind in RuleKind:
        assert kind.of_a_well + kind.of_a_plate + kind.of_the_monitor == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": 0.0}, "target and hysteresis are fractions"),
        ({"target": 50}, "target and hysteresis are fractions"),
        ({"hysteresis": -0.1}, "target and hysteresis are fractions"),
        ({"hysteresis": 1}, "target and hysteresis are fractions"),
        ({"consecutive": 0}, "consecutive is >= 1 and from_day >= 0"),
        ({"from_day": -1}, "consecutive is >= 1 and from_day >= 0"),
        ({"cooldown_h": -1}, "hours are >= 0"),
        ({"escalate_after_h": -1}, "hours are >= 0"),
        ({"limit": float("nan")}, "limits are finite"),
        ({"limit": 0.5, "critical_limit": 0.4}, "critical_limit lies below limit"),
    ],
)
def test_an_impossible_rule_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(WEAK, **change)


def test_quiet_hours_run_on_the_wall_clock_of_their_zone() -> None:
    tokyo = QuietHours(start=time(22), end=time(7), zone="Asia/Tokyo")
    assert tokyo.hold(datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert tokyo.hold(datetime(2026, 3, 1, 21, 59, tzinfo=UTC))
    assert not tokyo.hold(datetime(2026, 3, 1, 22, tzinfo=UTC))
    lunch = QuietHours(start=time(12), end=time(13), zone="Europe/Berlin")
    assert lunch.hold(datetime(2026, 7, 1, 10, 30, tzinfo=UTC))
    assert not lunch.hold(datetime(2026, 7, 1, 11, tzinfo=UTC))


def test_impossible_quiet_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="two different times"):
        QuietHours(start=time(7), end=time(7), zone="UTC")
