"""What the operator reads."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

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
from scopewatch.core.alerts.observation import Cause, Evidence, Observation, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.core.alerts.wells import Look, observe_well
from scopewatch.core.estimation.forecast import NoForecast, Silence
from scopewatch.core.phrases import Language
from scopewatch.core.well_name import WellName
from scopewatch.messages.alert_message import compose
from scopewatch.messages.alert_texts import CAUSES, NAMES, SEVERITIES, SILENCES, WORDING
from scopewatch.messages.chart_data import Trend
from scopewatch.messages.message import Message, Style, without_pictures
from tests.unit.core.alert_samples import PLATE, START, WELL, make_forecast, make_well

RUN: Final = Subject(run="run7")
PLATE_EVIDENCE: Final = Evidence(
    target=0.5,
    wells=("A1", "B3"),
    out_of=6,
    measures={"weak-now": 1.0, "weak-forecast": 2.0},
)


def rule_of(kind: RuleKind) -> AlertRule:
    return AlertRule(name=f"our {kind.value}", kind=kind)


MONITOR: Final = {
    RuleKind.NO_FRAMES: no_frames(
        at=START, last_frame_at=START - timedelta(hours=30), interval_h=12, expected=True
    ),
    RuleKind.SOURCE_DEAD: source_dead(
        at=START,
        dead=[DeadSource(name="scope", since=START - timedelta(minutes=8), why="no camera")],
        patience_min=5,
    ),
    RuleKind.ENDED_EARLY: ended_early(at=START, day=6.5, final_day=10, ended=True),
    RuleKind.DISK_LOW: disk_low(at=START, free_bytes=3_200_000_000, where="/state"),
    RuleKind.RESTARTED: restarted(
        at=START, started_at=START, last_alive_at=START - timedelta(minutes=20), clean=False
    ),
    RuleKind.MODEL_REFUSED: model_refused(at=START, reason="hash of model.tflite is off"),
    RuleKind.RELOAD_REFUSED: reload_refused(at=START, reason="unknown key: wat"),
}


def observe(kind: RuleKind) -> tuple[Subject, Observation]:
    """Return what the conditions themselves observe when such an alert is raised."""
    if kind in MONITOR:
        return RUN, MONITOR[kind]
    if kind is RuleKind.PLATE_COLLAPSE:
        return PLATE, Observation(at=START, day=8, score=0.5, evidence=PLATE_EVIDENCE)
    well = make_well(efficiency=0.31, forecast=make_forecast(0.35))
    if kind is RuleKind.UNFIT_FRAMES:
        well = make_well(looks=(Look(day=7.5, fault="blank"), Look(day=8, fault="out-of-focus")))
    others = [make_well(f"C{column}", efficiency=0.6) for column in range(1, 5)]
    seen = observe_well(rule_of(kind), well, [well, *others])
    cause = Cause.DETACHMENT if kind is RuleKind.SUDDEN_CHANGE else None
    return WELL, replace(seen, evidence=replace(seen.evidence, cause=cause))


def make(
    kind: RuleKind,
    change: Change = Change.RAISED,
    *,
    style: Style | None = None,
    overlay: str | None = None,
    severity: Severity = Severity.WARNING,
) -> Message:
    subject, observation = observe(kind)
    transition = Transition(
        rule=rule_of(kind), change=change, severity=severity, observation=observation, at=START
    )
    style = style or Style(dashboard="http://127.0.0.1:8787", final_day=10)
    return compose(subject, transition, style=style, key="run7-B3-1", overlay=overlay)


def test_a_weak_forecast_says_well_day_now_forecast_target_and_days_left() -> None:
    message = make(RuleKind.WEAK_FORECAST, severity=Severity.CRITICAL)
    assert message.title == "B3: likely to end weak, 35% expected on day 10"
    assert message.severity is Severity.CRITICAL
    assert message.idempotency_key == "run7-B3-1"
    for line in (
        "Well: run7 / P1 / B3",
        "Day: 8.0, 2.0 days left until day 10",
        "Now: 31% (25% to 37%)",
        "Trend: +0.0 points per day",
        "Forecast: 35% (25% to 45%) on day 10",
        "Probability of ending below the target: >99%",
        "Target: 50%",
        "Rule: our weak-forecast (critical)",
        "Dashboard: http://127.0.0.1:8787/wells/run7/P1/B3",
    ):
        assert f"\n{line}\n" in f"\n{message.body}\n"
    assert "What to do: Look at the virtual stain" in message.body


def test_a_plate_is_one_message_with_its_wells_and_what_is_wrong_with_them() -> None:
    message = make(RuleKind.PLATE_COLLAPSE)
    assert message.title == "P1: 2 of 6 wells fail at once"
    assert "Wells: A1, B3" in message.body
    assert "likely to end weak: 2\nweak now: 1" in message.body
    assert "Dashboard: http://127.0.0.1:8787/alerts" in message.body


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("kind", RuleKind)
def test_every_kind_and_change_is_reported_from_what_its_condition_observes(
    kind: RuleKind, change: Change, language: Language
) -> None:
    message = make(kind, change, style=Style(language=language, final_day=10))
    for words in (message.title, message.body, message.html):
        assert words
        assert "{" not in words
        assert " ? " not in words.replace("? ", "")
        assert "(?" not in words
    assert not any("\n" in line for line in (message.title,))


@pytest.mark.parametrize("kind", RuleKind)
def test_a_resolved_alert_needs_nothing_done(kind: RuleKind) -> None:
    message = make(kind, Change.RESOLVED)
    assert "What to do: Nothing to do." in message.body
    assert message.title != make(kind).title


def test_an_escalated_alert_says_why_it_comes_again() -> None:
    message = make(RuleKind.WEAK_NOW, Change.ESCALATED, severity=Severity.CRITICAL)
    assert message.title == "B3: weak now, 31% on day 8.0 (critical now)"
    assert message.body.startswith("This alert is critical now: it got worse, or nobody")


def test_every_kind_cause_and_severity_has_words() -> None:
    assert set(WORDING) == set(NAMES) == set(RuleKind)
    assert set(CAUSES) == set(Cause)
    assert set(SEVERITIES) == set(Severity)
    assert set(SILENCES) == set(Silence)


def test_a_fault_and_a_cause_are_shown_in_the_reader_s_language() -> None:
    japanese = Style(language=Language.JAPANESE)
    assert "out of focus" in make(RuleKind.UNFIT_FRAMES).body
    assert "ピントが合っていない" in make(RuleKind.UNFIT_FRAMES, style=japanese).body
    assert "cells may have come off" in make(RuleKind.SUDDEN_CHANGE).title
    assert "細胞が剥離した可能性" in make(RuleKind.SUDDEN_CHANGE, style=japanese).title


def test_why_there_is_no_forecast_is_reported_with_its_figures_or_in_the_reader_s_language() -> (
    None
):
    rule = rule_of(RuleKind.WEAK_NOW)
    reason = "held-out runs support a forecast from day 5 on"
    well = make_well(forecast=NoForecast(cause=Silence.TOO_EARLY, reason=reason))
    transition = Transition(
        rule=rule,
        change=Change.RAISED,
        severity=Severity.WARNING,
        observation=observe_well(rule, well, [well]),
        at=START,
    )
    english = compose(WELL, transition, style=Style(), key="1")
    assert f"Forecast: none: {reason}" in english.body
    japanese = compose(WELL, transition, style=Style(language=Language.JAPANESE), key="1")
    assert "予測: なし(まだ日数が浅いため)" in japanese.body


def test_short_times_are_reported_in_minutes() -> None:
    assert make(RuleKind.RESTARTED).title == "run7: scopewatch was down for 20 minutes"
    assert make(RuleKind.NO_FRAMES).title == "run7: no frame for 30 hours"


@pytest.mark.parametrize("language", Language)
def test_simulated_images_are_marked_in_title_and_body(language: Language) -> None:
    plain = make(RuleKind.WEAK_NOW, style=Style(language=language))
    marked = make(RuleKind.WEAK_NOW, style=Style(language=language, simulated=True))
    assert marked.title == f"[SIMULATED] {plain.title}"
    assert "[SIMULATED]" in marked.html
    assert len(marked.body) > len(plain.body)
    (trend,) = marked.figures
    assert trend.simulated
    assert "imulat" not in plain.title + plain.body


def test_the_trend_is_drawn_and_the_overlay_attached_where_there_is_one() -> None:
    message = make(RuleKind.WEAK_FORECAST, overlay="B3/t15.png")
    assert message.attachments == ("B3/t15.png",)
    (trend,) = message.figures
    assert isinstance(trend, Trend)
    assert trend.name == "run7 / P1 / B3"
    assert make(RuleKind.DISK_LOW, overlay=None).figures == ()
    assert make(RuleKind.WEAK_NOW).attachments == ()


def test_without_pictures_the_words_say_so_in_their_language() -> None:
    style = Style(language=Language.JAPANESE)
    message = without_pictures(make(RuleKind.WEAK_FORECAST, overlay="a.jpg", style=style))
    assert not message.attachments
    assert not message.figures
    assert message.body.endswith("画像を添付できませんでした。ダッシュボードでご確認ください。")
    assert "画像を添付できませんでした" in message.html


def test_no_link_is_made_up_where_there_is_no_dashboard() -> None:
    assert "Dashboard" not in make(RuleKind.WEAK_NOW, style=Style()).body


def test_a_well_reads_as_run_plate_and_well() -> None:
    assert str(WellName(run="run7", plate="P1", well="B3")) == "run7 / P1 / B3"
