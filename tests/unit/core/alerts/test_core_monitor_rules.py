"""What the monitor says of itself."""

import pytest

from scopewatch.core.alerts.monitor import (
    DeadSource,
    disk_low,
    ended_early,
    model_refused,
    no_frames,
    reload_refused,
    restarted,
    source_dead,
)
from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.state_machine import AlertState, step
from tests.unit.core.alert_samples import START, hours


def reported(rule: AlertRule, observations: list[Observation]) -> list[str | None]:
    state, changes = AlertState(), []
    for observation in observations:
        state, transition = step(state, rule, observation)
        changes.append(transition.change.value if transition else None)
    return changes


def test_the_monitor_is_blind_after_k_intervals_and_sees_again_with_the_next_frame() -> None:
    rule = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES, limit=2, critical_limit=4)

    def silent(hour: float, last: float = 0) -> Observation:
        return no_frames(at=hours(hour), last_frame_at=hours(last), interval_h=12, expected=True)

    assert reported(rule, [silent(24), silent(24.1), silent(48.1), silent(49, last=48.9)]) == [
        None,
        "raised",
        "escalated",
        "resolved",
    ]
    assert silent(24.1).evidence.measures == {
        "silent_h": pytest.approx(24.1),
        "interval_h": 12,
    }


def test_nothing_is_missing_once_the_run_is_over() -> None:
    late = no_frames(at=hours(99), last_frame_at=START, interval_h=12, expected=False)
    assert late.score == 0


def test_a_frame_from_the_future_is_no_silence() -> None:
    assert no_frames(at=START, last_frame_at=hours(1), interval_h=12, expected=True).score == 0


@pytest.mark.parametrize(
    ("day", "ended", "score"), [(7, True, 1), (7, False, 0), (9.6, True, 0), (10, True, 0)]
)
def test_an_acquisition_ends_early_when_it_ends_before_the_final_day(
    day: float, ended: bool, score: float
) -> None:
    seen = ended_early(at=START, day=day, final_day=10, ended=ended)
    assert seen.score == score
    assert (seen.evidence.final_day, seen.evidence.measures) == (10, {"last_day": day})


def test_a_dead_source_is_reported_after_some_minutes_and_never_taken_back_while_it_is_dead() -> (
    None
):
    rule = AlertRule(name="dead", kind=RuleKind.SOURCE_DEAD, limit=5, critical_limit=60)

    def seen(hour: float, *since: float) -> Observation:
        dead = [
            DeadSource(name=f"scope {number}", since=hours(begun), why="no camera")
            for number, begun in enumerate(since)
        ]
        return source_dead(at=hours(hour), dead=dead, patience_min=rule.raise_above)

    observed = [seen(0.05, 0), seen(0.1, 0), seen(0.15, 0.1), seen(1.1, 0, 1), seen(1.2)]
    assert reported(rule, observed) == [None, "raised", None, "escalated", "resolved"]
    assert observed[2].score is None, "a daemon that starts does not know since when"
    assert observed[3].evidence.measures == {"dead_h": pytest.approx(1.1)}
    first, second = observed[3].evidence.detail.split(" | ")
    assert first == f"scope 0, since {START:%Y-%m-%d %H:%M} UTC: no camera"
    assert second.startswith("scope 1, since ")


def test_a_disk_is_low_below_its_limit_and_well_again_above_the_hysteresis() -> None:
    rule = AlertRule(name="disk", kind=RuleKind.DISK_LOW, limit=-5, critical_limit=-1, hysteresis=1)
    free_gb = [6.0, 4.9, 5.5, 0.9, 6.1]
    seen = [disk_low(at=START, free_bytes=int(free * 1e9), where="/state") for free in free_gb]
    assert reported(rule, seen) == [None, "raised", None, "escalated", "resolved"]
    assert seen[1].evidence.detail == "/state"
    assert seen[1].evidence.measures["free_gb"] == pytest.approx(4.9)


def test_a_restart_that_nobody_asked_for_is_news_for_an_hour() -> None:
    rule = AlertRule(name="restarted", kind=RuleKind.RESTARTED)
    since = {"started_at": hours(2), "last_alive_at": START}
    fresh = restarted(at=hours(2.1), clean=False, **since)
    old = restarted(at=hours(3.1), clean=False, **since)
    assert reported(rule, [fresh, old]) == ["raised", "resolved"]
    assert fresh.evidence.measures == {"down_h": 2}
    assert restarted(at=hours(2.1), clean=True, **since).score == 0


def test_the_first_start_is_no_restart() -> None:
    first = restarted(at=START, started_at=START, last_alive_at=None, clean=False)
    assert first.score == 0


def test_a_refused_model_is_reported_with_its_reason_until_it_loads() -> None:
    rule = AlertRule(name="model", kind=RuleKind.MODEL_REFUSED)
    refused, loaded = (model_refused(at=START, reason=why) for why in ("hash is off", ""))
    assert reported(rule, [refused, loaded]) == ["raised", "resolved"]
    assert refused.evidence.detail == "hash is off"


def test_a_refused_reload_is_reported_with_its_reason_until_one_is_taken() -> None:
    rule = AlertRule(name="reload", kind=RuleKind.RELOAD_REFUSED)
    refused, taken = (reload_refused(at=START, reason=why) for why in ("unknown key: wat", ""))
    assert reported(rule, [refused, refused, taken]) == ["raised", None, "resolved"]
    assert refused.evidence.detail == "unknown key: wat"
