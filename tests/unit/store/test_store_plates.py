"""Rules over whole plates, forecasts as facts, and what the clock alone changes."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.messages.message import Message
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store

WEAK, FINE = 0.2, 0.7
WELLS = tuple(f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13))
SOON = AlertRule(name="soon weak", kind=RuleKind.WEAK_FORECAST, target=0.5, limit=0.8)
PLATE = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, severity=Severity.CRITICAL, limit=0.5)
RULES = (SOON, PLATE)
ALERTS = "SELECT plate, well, rule, raised_time_point, resolved_at FROM alerts ORDER BY id"


# A plate is hundreds of commits: a disk in memory, where there is one, is fast.
MEMORY = Path("/dev/shm")


@pytest.fixture
def plate(clock: FakeClock) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        store = open_store(Path(name), clock, started_at=START)
        yield Scene(store=store, folder=Path(name), rules=RULES)
        store.close()


def moment(scene: Scene, time_point: int, fractions: dict[str, float]) -> list[str]:
    """Score one frame of each well; return the titles of the alerts."""
    notified: list[Message] = []
    for well, fraction in fractions.items():
        notified += scene.score(key(well, time_point), fraction).alerts
    return [message.title for message in notified]


def test_a_plate_that_fails_as_a_whole_gives_one_alert_with_the_list(plate: Scene) -> None:
    alerts = [moment(plate, t, dict.fromkeys(WELLS, WEAK)) for t in (9, 10)]
    assert [len(titles) for titles in alerts] == [0, 1]
    assert moment(plate, 11, dict.fromkeys(WELLS[:3], WEAK)) == []
    assert plate.rows(ALERTS) == [("p1", "", "plate", 10, None)]
    assert plate.rows("SELECT count(*) FROM outbox") == [(1,)]
    ((named, out_of),) = plate.rows(
        "SELECT json_array_length(evidence, '$.wells'), json_extract(evidence, '$.out_of')"
        " FROM alerts"
    )
    assert (named, out_of) == (96, 96)


def test_a_few_weak_wells_raise_alerts_one_by_one_after_the_plate_was_evaluated(
    plate: Scene,
) -> None:
    wells = dict.fromkeys(WELLS[:12], FINE) | {"A3": WEAK, "A7": WEAK}
    assert moment(plate, 9, wells) == []
    early = dict(list(wells.items())[:11])
    assert moment(plate, 10, early) == [], "A12 has yet to come"
    notified = moment(plate, 10, {"A12": FINE})
    assert [title.split(":")[0] for title in notified] == ["A3", "A7"]
    assert [row[:4] for row in plate.rows(ALERTS)] == [
        ("p1", "A3", "soon weak", 10),
        ("p1", "A7", "soon weak", 10),
    ]


def test_a_well_that_fell_silent_does_not_hold_up_its_plate(plate: Scene) -> None:
    wells = dict.fromkeys(WELLS[:8], FINE) | {"A3": WEAK}
    moment(plate, 8, wells)
    moment(plate, 9, wells)
    del wells["A8"]
    assert moment(plate, 10, wells) == [], "A8 may still come"
    # The next time point begins: A8 is not waited for any more, then or later.
    assert len(moment(plate, 11, {"A1": FINE})) == 1
    rest = {well: fraction for well, fraction in wells.items() if well != "A1"}
    moment(plate, 11, rest)
    steps = plate.rows("SELECT well, last_time_point FROM rule_states WHERE well IN ('A1', 'A8')")
    assert sorted(steps) == [("A1", 11), ("A8", 9)]


def test_a_frame_that_never_comes_is_not_waited_for_all_night(
    plate: Scene, clock: FakeClock
) -> None:
    wells = dict.fromkeys(WELLS[:8], FINE) | {"A3": WEAK}
    moment(plate, 9, wells)
    del wells["A8"]
    moment(plate, 10, wells)
    assert plate.store.let_time_pass() == ()
    clock.advance(3599)
    assert plate.store.let_time_pass() == ()
    clock.advance(1)
    (message,) = plate.store.let_time_pass()
    assert message.title.startswith("A3: ")
    assert plate.store.let_time_pass() == ()


def test_a_well_that_comes_late_is_judged_by_itself_and_once(plate: Scene) -> None:
    wells = dict.fromkeys(WELLS[:8], FINE)
    for time_point in (8, 9, 10, 11):
        moment(plate, time_point, wells)
    notified = [moment(plate, time_point, {"H12": WEAK}) for time_point in (10, 11)]
    assert [len(titles) for titles in notified] == [1, 0]
    assert [row[:4] for row in plate.rows(ALERTS)] == [("p1", "H12", "soon weak", 10)]


def test_a_rule_of_the_forecast_is_silent_before_the_day_the_card_supports(plate: Scene) -> None:
    plate.rules = (SOON,)
    alerts = [len(moment(plate, t, {"A1": WEAK})) for t in range(12)]
    assert alerts.index(1) == 10, "day 5"
    assert sum(alerts) == 1
    with_reader = Reader.open(plate.folder)
    known = with_reader.outlooks(with_reader.wells()[0].name, 99)
    with_reader.close()
    assert [outlook.day for outlook in known] == [t / 2 for t in range(12)]
    assert [hasattr(outlook.forecast, "value") for outlook in known] == [False] * 10 + [True] * 2
    assert known[0].forecast.reason == "held-out runs support a forecast from day 5 on"  # type: ignore[union-attr]


def test_a_forecast_is_not_made_from_a_frame_that_cannot_be_judged(plate: Scene) -> None:
    plate.rules = (SOON,)
    moment(plate, 10, {"A1": FINE})
    plate.spoil(key("A1", 11))
    with_reader = Reader.open(plate.folder)
    (row,) = with_reader.wells()
    with_reader.close()
    assert row.outlook is not None
    assert (row.outlook.time_point, row.outlook.day, row.outlook.now_day) == (11, 5.5, 5.0)
    assert row.outlook.forecast.reason == "the newest frame cannot be judged: blank"  # type: ignore[union-attr]


def test_an_alert_nobody_sees_escalates_by_the_clock_and_an_acknowledged_one_does_not(
    plate: Scene, clock: FakeClock
) -> None:
    rule = AlertRule(name="old", target=0.5, escalate_after_h=24)
    plate.rules = (rule,)
    moment(plate, 10, {"A1": WEAK, "A2": WEAK})
    plate.store.acknowledge(2, clock.now())
    clock.advance(24 * 3600 - 1)
    assert plate.store.let_time_pass() == ()
    clock.advance(1)
    (message,) = plate.store.let_time_pass()
    assert message.severity is Severity.CRITICAL
    assert plate.store.let_time_pass() == ()
    assert plate.rows("SELECT well, severity, escalated_at IS NULL FROM alerts") == [
        ("A1", "critical", 0),
        ("A2", "warning", 1),
    ]


def test_an_alert_escalates_however_long_after_the_last_frame_its_rule_says(
    plate: Scene, clock: FakeClock
) -> None:
    plate.rules = (AlertRule(name="old", target=0.5, escalate_after_h=24 * 30),)
    moment(plate, 10, {"A1": WEAK})
    clock.advance(24 * 3600 * 30)
    (message,) = plate.store.let_time_pass()
    assert message.severity is Severity.CRITICAL


def test_of_a_plate_that_is_over_the_states_are_not_read_any_more(
    plate: Scene, clock: FakeClock
) -> None:
    plate.rules = (AlertRule(name="old", target=0.5),)
    moment(plate, 10, {"A1": WEAK})
    with plate.store.read_unit() as work:
        assert work.plates.open(["old"], clock.now() - timedelta(days=1)) == [("run 7", "p1")]
        assert work.plates.open(["old"], clock.now()) == []


def test_a_flapping_well_gives_at_most_one_alert_per_cooldown(
    plate: Scene, clock: FakeClock
) -> None:
    rule = AlertRule(name="flaps", target=0.5, consecutive=1, cooldown_h=24)
    plate.rules = (rule,)
    raised = []
    for time_point in range(16):
        clock.advance(6 * 3600)
        moment(plate, time_point, {"A1": WEAK if time_point % 2 else FINE})
        raised.append(plate.rows("SELECT count(*) FROM alerts")[0][0])
    # Four days of flapping every six hours.
    assert raised[-1] == 4
    times = [at for (at,) in plate.rows("SELECT raised_at FROM alerts ORDER BY id")]
    assert len(set(times)) == 4


def test_the_clock_changes_nothing_without_an_open_alert(plate: Scene, clock: FakeClock) -> None:
    for time_point in (9, 10):
        moment(plate, time_point, dict.fromkeys(WELLS[:8], FINE))
    before = plate.rows("SELECT * FROM rule_states")
    for _ in range(3):
        clock.wall += timedelta(hours=5)
        assert plate.store.let_time_pass() == ()
    assert plate.rows("SELECT * FROM rule_states") == before
