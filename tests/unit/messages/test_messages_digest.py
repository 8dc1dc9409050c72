from dataclasses import replace
from datetime import date

import pytest

from scopewatch.core.alerts.observation import Reading
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.phrases import Language
from scopewatch.messages.chart_data import PlateMap
from scopewatch.messages.digest import Digest, DigestWell, OpenAlert, compose_digest, look_first
from scopewatch.messages.message import Style

STYLE = Style(dashboard="http://127.0.0.1:8787", final_day=10)


def reading(value: float) -> Reading:
    return Reading(value=value, low=max(value - 0.1, 0), high=min(value + 0.1, 1))


def alert(severity: Severity = Severity.WARNING, *, seen: bool = False) -> OpenAlert:
    return OpenAlert(kind=RuleKind.WEAK_FORECAST, severity=severity, name="weak", acknowledged=seen)


def well(name: str, forecast: float, *alerts: OpenAlert) -> DigestWell:
    return DigestWell(
        plate="P1", well=name, now=reading(0.2), forecast=reading(forecast), alerts=alerts
    )


DIGEST = Digest(
    run="run 7",
    on=date(2026, 3, 8),
    day=7.2,
    frames=140,
    quarantined=2,
    wells=(
        well("A1", 0.6),
        well("A2", 0.3, alert()),
        well("A10", 0.2, alert()),
        well("B1", 0.1, alert(seen=True)),
        well("B2", 0.4, alert(Severity.CRITICAL)),
    ),
    target=0.5,
)


def test_the_gravest_that_nobody_has_seen_come_first_then_the_weakest() -> None:
    assert [each.well for each in look_first(DIGEST.wells)] == ["B2", "A10", "A2", "B1"]


def test_the_digest_says_how_the_run_is_and_where_to_look() -> None:
    message = compose_digest(DIGEST, style=STYLE)
    assert message.title == "run 7, 2026-03-08: wells that need a look: 4"
    assert message.body.startswith("The run is on day 7.2, 2.8 days before day 10.")
    assert "Frames: 140 scored, 2 in quarantine" in message.body
    assert (
        "Look at these first\nP1 / B2: likely to end weak (critical); now 20% (10% to 30%);"
        " expected 40% (30% to 50%)\nP1 / A10:"
    ) in message.body
    assert "P1 / B1: likely to end weak (warning), acknowledged;" in message.body
    assert "P1 / A1:" not in message.body


def test_each_day_and_run_has_one_key() -> None:
    message = compose_digest(DIGEST, style=STYLE)
    later = compose_digest(replace(DIGEST, frames=150), style=STYLE)
    assert message.idempotency_key == later.idempotency_key
    tomorrow = replace(DIGEST, on=date(2026, 3, 9))
    other = replace(DIGEST, run="run 8")
    keys = {compose_digest(each, style=STYLE).idempotency_key for each in (tomorrow, other)}
    assert len(keys | {message.idempotency_key}) == 3


def test_each_plate_is_a_picture_coloured_by_the_forecast_where_there_is_one() -> None:
    bare = DigestWell(plate="P2", well="A1", now=reading(0.7), stale=True)
    message = compose_digest(replace(DIGEST, wells=(*DIGEST.wells, bare)), style=STYLE)
    first, second = message.figures
    assert isinstance(first, PlateMap)
    assert isinstance(second, PlateMap)
    assert [each.value for each in first.wells] == [0.6, 0.3, 0.2, 0.1, 0.4]
    assert all(each.foretold for each in first.wells)
    assert [each.flagged for each in first.wells] == [False, True, True, True, True]
    assert (second.wells[0].value, second.wells[0].foretold) == (0.7, False)
    assert "Wells without new frames: 1" in message.body


def test_a_quiet_day_says_so() -> None:
    message = compose_digest(replace(DIGEST, wells=(well("A1", 0.6),)), style=STYLE)
    assert "No well needs a look." in message.body


def test_trouble_of_the_monitor_itself_is_in_the_digest() -> None:
    silent = OpenAlert(kind=RuleKind.NO_FRAMES, severity=Severity.CRITICAL, name="no frames")
    message = compose_digest(
        replace(DIGEST, alerts=(silent,), complaints=("source microscope: share is away",)),
        style=STYLE,
    )
    assert "no frames: no frames are coming (critical)" in message.body
    assert "scopewatch is not well: source microscope: share is away" in message.body


def test_before_the_first_frame_there_is_no_day() -> None:
    message = compose_digest(replace(DIGEST, day=None, wells=()), style=STYLE)
    assert message.body.startswith("No frame has been judged yet.")
    assert message.figures == ()


@pytest.mark.parametrize("language", Language)
def test_a_simulated_digest_is_marked(language: Language) -> None:
    message = compose_digest(DIGEST, style=replace(STYLE, language=language, simulated=True))
    assert message.title.startswith("[SIMULATED] run 7")
    assert all(figure.simulated for figure in message.figures)


def test_a_digest_reads_in_japanese() -> None:
    message = compose_digest(DIGEST, style=replace(STYLE, language=Language.JAPANESE))
    assert message.title == "run 7(2026-03-08):確認が必要なウェル 4件"
    assert (
        "P1 / B2: 分化不良の見込み (重大); 現在 20%(10%〜30%); 予測 40%(30%〜50%)" in message.body
    )
