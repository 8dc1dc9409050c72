"""What others than the worker record meets a full disk once: it raises, and is recorded later."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.core.acquisition.orders import Act, Report
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.errors import StoreError
from scopewatch.core.source import KnownFolder
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.supervision.monitor import Monitor
from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection
from tests.integration.full_disk import BLANK, Bench
from tests.integration.full_state import FULL, FullDisk, Healthy, expect_whole, transaction_of
from tests.unit.notify.fakes import message
from tests.unit.store.scene import read_rows, tables, use_rules
from tests.unit.web.conftest import TOKEN, Dashboard
from tests.unit.web.fakes import FACTS

DISK = AlertRule(name="disk", kind=RuleKind.DISK_LOW, hysteresis=1, critical_limit=None)
OUTLIER = AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL)
SOON = AlertRule(name="weak", target=0.5, from_day=0, consecutive=2, escalate_after_h=1)


def monitor_of(bench: Bench, *rules: AlertRule) -> Monitor:
    return Monitor(
        bench.store,
        rules=rules,
        sources=[Healthy()],  # type: ignore[list-item]  # only its health is asked
        run="run 7",
        final_day=10,
        interval_h=12,
        free_bytes={str(bench.state): lambda: 0},
        clock=bench.clock,
        wake=lambda: None,
    )


def stepping(bench: Bench, *rules: AlertRule) -> Store:
    """Return the store of a bench, which evaluates these rules from now on."""
    use_rules(bench.store, rules)
    return bench.store


def noted(bench: Bench) -> Report:
    act = Act.NOTE
    return Report(number=None, act=act, at=bench.clock.now(), done=True, outcome="focus not found")


# Other records: the call that writes them, and the rows expected in the database.
Call = Callable[[Bench], object]
RECORDED: dict[str, tuple[Call, str, list[tuple[object, ...]]]] = {
    "acquisition": (
        lambda b: b.store.acquisition("nd", "HES7_1", "a"),
        "SELECT source, number FROM acquisitions",
        [("nd", 1)],
    ),
    "watch": (
        lambda b: monitor_of(b, DISK).tick(),
        "SELECT rule, (SELECT count(*) FROM signs_of_life) FROM alerts ORDER BY rule",
        [("disk", 1), ("weak", 1)],
    ),
    "record_liveness": (
        lambda b: monitor_of(b).tick(),
        "SELECT name FROM signs_of_life",
        [("alive",)],
    ),
    # No frames come any more: a rule over the whole plate is evaluated on what there is.
    "let_time_pass": (
        lambda b: stepping(b, OUTLIER).let_time_pass(),
        "SELECT last_time_point FROM rule_states WHERE rule = 'outlier'",
        [(1,)],
    ),
    # An alert has been open long enough to become more severe.
    "_tick": (
        lambda b: stepping(b, SOON).let_time_pass(),
        "SELECT rule, severity FROM alerts",
        [("weak", "critical")],
    ),
    "acknowledge": (
        lambda b: b.store.acknowledge(1, b.clock.now()),
        "SELECT acked_at IS NULL FROM alerts",
        [(0,)],
    ),
    "snooze": (
        lambda b: b.store.snooze(1, b.clock.now() + timedelta(hours=6)),
        "SELECT snoozed_until IS NULL FROM alerts",
        [(0,)],
    ),
    "announce": (
        lambda b: b.store.announce(message("digest"), ["mail"]),
        "SELECT idempotency_key FROM outbox ORDER BY id DESC LIMIT 1",
        [("key of digest",)],
    ),
    "order": (
        lambda b: b.store.order("folder", "run 7", Act.PAUSE, "a test"),
        'SELECT act, "by", done FROM acquisition_journal',
        [("pause", "a test", None)],
    ),
    "record_folder": (
        lambda b: b.store.record_folder("folder", "/raw", KnownFolder(mounted=True)),
        "SELECT name FROM signs_of_life",
        [("folder of source folder",)],
    ),
    "report": (
        lambda b: b.store.report("folder", "run 7", [noted(b)]),
        "SELECT act, done, outcome FROM acquisition_journal",
        [("note", 1, "focus not found")],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_what_others_record_raises_and_is_recorded_when_it_is_tried_again(
    bench: Bench, disk: FullDisk, name: str
) -> None:
    act, query, expected = RECORDED[name]
    bench.fraction = 0.1
    for time_point in range(2):
        assert bench.score(time_point=time_point) == [FrameOutcome.SCORED]
    bench.clock.advance(7200)
    before = tables(bench.state), read_rows(bench.state, query)
    disk.fill()
    for _ in range(2):
        with pytest.raises(StoreError, match=f"result database cannot be used: .*{FULL}"):
            act(bench)
        assert (tables(bench.state), read_rows(bench.state, query)) == before
    disk.relieve()
    act(bench)
    assert read_rows(bench.state, query) == expected
    expect_whole(bench)


def test_what_people_ask_for_on_a_full_disk_raises_and_is_recorded_when_they_ask_again(
    bench: Bench, disk: FullDisk
) -> None:
    bench.fraction = 0.1
    for time_point in range(2):
        assert bench.score(time_point=time_point) == [FrameOutcome.SCORED]
    assert bench.score(BLANK) == [FrameOutcome.QUARANTINED]
    bench.store.acknowledge(1, bench.clock.now())

    def ask_twice(act: Callable[[], object]) -> object:
        before = tables(bench.state), read_rows(bench.state, "SELECT * FROM retries")
        disk.fill()
        with pytest.raises(StoreError, match=FULL):
            act()
        disk.relieve()
        after = tables(bench.state), read_rows(bench.state, "SELECT * FROM retries")
        assert after == before
        return act()

    ask_twice(lambda: bench.store.take_back(1))
    assert read_rows(bench.state, "SELECT acked_at FROM alerts") == [(None,)]
    wanted = RetrySelection(well=BLANK)
    answer = ask_twice(lambda: bench.store.ask_again(wanted, ["folder"], "a test"))
    assert answer == RetryAnswer(asked=1, waiting=0)
    assert bench.score(BLANK) == [FrameOutcome.QUARANTINED]
    assert ask_twice(bench.store.close_retry_requests) == 1
    assert read_rows(bench.state, "SELECT * FROM retries") == []
    expect_whole(bench)


def test_an_answer_on_the_dashboard_says_why_it_was_not_taken(
    bench: Bench, disk: FullDisk, tmp_path: Path
) -> None:
    bench.fraction = 0.1
    for time_point in range(2):
        assert bench.score(time_point=time_point) == [FrameOutcome.SCORED]
    page = Dashboard(tmp_path / "overlays", bench.clock)
    page.alerts = bench.store  # type: ignore[assignment]  # the real one in place of the fake
    page.build(FACTS)
    disk.fill()
    answer = page.post("/alerts/1/acknowledge", {"token": TOKEN})
    assert answer.status_code == 503
    assert FULL in answer.text
    disk.relieve()
    assert page.post("/alerts/1/acknowledge", {"token": TOKEN}).status_code == 303
    assert read_rows(bench.state, "SELECT acked_at IS NULL FROM alerts") == [(0,)]


# Requests of people.
ASKED = ("take_back", "ask_again", "close_retry_requests")
COVERED = {transaction_of(name) for name in (*RECORDED, *ASKED)}
