"""Each transaction meets a real full disk once: nothing is written, and all of it later.

The state has a small file system of its own; raw data and pictures always have room.

This long module is not split: `test_full_disk_places` compares its table with the source.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.app.steering import Helm
from scopewatch.core import acquisition
from scopewatch.core.alerts.state_machine import AlertRule, RuleKind
from scopewatch.core.errors import DeliveryError, StoreError
from scopewatch.core.imaging.frame import FrameTicket, Refusal
from scopewatch.core.source import KnownFolder, SourceHealth
from scopewatch.messages.alert_message import Message
from scopewatch.notify.delivery import Delivery
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.runtime.supervision.monitor import Monitor
from scopewatch.store.read.records import RetryAnswer, RetrySelection
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.place import DATABASE
from tests.conftest import FakeClock
from tests.integration.full_disk import BLANK, LAST, Bench, bench_in, fill, small_file_system
from tests.unit.notify.fakes import FakeNotifier, message
from tests.unit.store.scene import START, key, read_rows, tables, use_rules
from tests.unit.web.conftest import TOKEN, Dashboard
from tests.unit.web.fakes import FACTS

FULL = "database or disk is full"
DISK = AlertRule(name="disk", kind=RuleKind.DISK_LOW, hysteresis=1, critical_limit=None)
OUTLIER = AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL)
SOON = AlertRule(name="weak", target=0.5, from_day=0, consecutive=2, escalate_after_h=1)

Query = tuple[str, list[tuple[object, ...]]]


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock) -> Iterator[Bench]:
    (tmp_path / "state").mkdir()
    with small_file_system(tmp_path / "state", 6):
        yield from bench_in(tmp_path, clock)


class FullDisk:
    """Fill the disk of the state, the space reserved before included."""

    def __init__(self, bench: Bench) -> None:
        self._state = bench.state
        self._ballast: Path | None = None

    def fill(self) -> None:
        if self._ballast is None:
            with closing(sqlite3.connect(self._state / DATABASE)) as other:
                assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            self._ballast = fill(self._state)

    def relieve(self) -> None:
        if self._ballast is not None:
            self._ballast.unlink()
            self._ballast = None


@pytest.fixture
def disk(bench: Bench) -> FullDisk:
    return FullDisk(bench)


def expect_whole(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.state / DATABASE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    bench.expect_all_in_order()


def refusal(bench: Bench, *, missed: bool) -> Refusal:
    return Refusal(
        source="folder",
        locator=str(bench.raw / "notes.tif"),
        fingerprint="missed" if missed else "1",
        reason="never acquired" if missed else "file name does not match",
        seen_at=START,
        missed=key("C3") if missed else None,
    )


# The worker's input, whether the disk fills only after it was read, the step that is
# repeated, and the final state.
WORKED: dict[str, tuple[Callable[[Bench], object], bool, str, FrameOutcome]] = {
    "claim": (lambda b: b.offer(key()), False, "claim", FrameOutcome.SCORED),
    "commit": (lambda b: b.offer(key()), True, "commit", FrameOutcome.SCORED),
    "measure": (
        lambda b: b.offer(key("A1", LAST, channel="gfp")), True, "measure", FrameOutcome.MEASURED
    ),
    "quarantine": (lambda b: b.offer(key(BLANK)), True, "quarantine", FrameOutcome.QUARANTINED),
    "skip": (lambda b: b.offer(key(channel="dapi")), False, "skip", FrameOutcome.SKIPPED),
    "refuse": (
        lambda b: b.inbox.refuse(refusal(b, missed=False)), False, "refuse", FrameOutcome.REFUSED
    ),
    "refuse, a gap": (
        lambda b: b.inbox.refuse(refusal(b, missed=True)), False, "refuse", FrameOutcome.MISSED
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKED)
def test_a_record_that_fails_is_reported_and_repeated_until_there_is_room(
    bench: Bench, disk: FullDisk, name: str
) -> None:
    give, once_read, step, outcome = WORKED[name]
    give(bench)
    raw = bench.raw_data()
    before = tables(bench.state)
    during: list[object] = []

    def relieve() -> None:
        during.append(tables(bench.state))
        disk.relieve()

    bench.relief = relieve
    if once_read:
        bench.loading = disk.fill
    else:
        disk.fill()
    assert bench.work() == [outcome]
    assert bench.troubles
    assert all(f"worker: {step} is repeated: " in line for line in bench.troubles), bench.troubles
    assert all(FULL in line for line in bench.troubles), bench.troubles
    if not once_read:
        assert during == [before], "nothing of it was written"
    states = [state for (state,) in read_rows(bench.state, "SELECT state FROM frames")]
    assert "claimed" not in states
    assert len(states) + len(tables(bench.state)["refusals"]) == 1
    assert bench.raw_data() == raw
    expect_whole(bench)


def test_a_commit_that_raises_an_alert_is_repeated_whole(bench: Bench, disk: FullDisk) -> None:
    bench.fraction = 0.1
    assert bench.score() == [FrameOutcome.SCORED]
    bench.relief = disk.relieve
    bench.loading = disk.fill
    assert bench.score(time_point=1) == [FrameOutcome.SCORED]
    assert len(bench.troubles) == 1
    found = tables(bench.state)
    assert (len(found["results"]), len(found["alerts"]), len(found["outbox"])) == (2, 1, 1)
    expect_whole(bench)


class Healthy:
    """A source without a fault."""

    name = "folder"

    def health(self) -> SourceHealth:
        return SourceHealth(name="folder", alive=True, detail="watching", found=0, waiting=0)


def monitor_of(bench: Bench, *rules: AlertRule) -> Monitor:
    return Monitor(
        bench.store,
        rules=rules,
        sources=[Healthy()],  # type: ignore[list-item]  # only its health is asked
        run="run 7",
        final_day=10,
        interval_h=12,
        free_bytes=lambda: 0,
        where=str(bench.state),
        clock=bench.clock,
        wake=lambda: None,
    )


def stepping(bench: Bench, *rules: AlertRule) -> Store:
    """Return the store of a bench, which evaluates these rules from now on."""
    use_rules(bench.store, rules)
    return bench.store


def noted(bench: Bench) -> acquisition.Report:
    act = acquisition.Act.NOTE
    return acquisition.Report(
        number=None, act=act, at=bench.clock.now(), done=True, outcome="focus not found"
    )


# Other records: the call that writes them, and the rows expected in the database.
Act = Callable[[Bench], object]
RECORDED: dict[str, tuple[Act, str, list[tuple[object, ...]]]] = {
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
        lambda b: b.store.order("folder", "run 7", acquisition.Act.PAUSE, "a test"),
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


class SteeredSource(Healthy):
    """A time-lapse that counts the orders that it is handed."""

    acquires = True

    def __init__(self) -> None:
        self.orders: list[int] = []

    def order(self, order: acquisition.Order) -> None:
        self.orders.append(order.number)

    def reports(self) -> list[acquisition.Report]:
        return []

    def restore(self, _held: acquisition.JournalEntry | None) -> None:
        """Nothing holds it."""

    def standing(self) -> None:
        return None


# The daemon's writes beside an order: each raises on a full disk, and is made once there is room.
STEERED = ("begin_order", "close_lost_orders")


def test_an_order_is_handed_out_once_although_the_disk_is_full(
    bench: Bench, disk: FullDisk
) -> None:
    source = SteeredSource()
    helm = Helm(bench.store, [source], "run 7")  # type: ignore[list-item]  # no frames asked for
    number = bench.store.order("folder", "run 7", acquisition.Act.NOW, "a test")
    disk.fill()
    for _ in range(2):
        with pytest.raises(StoreError, match=FULL):
            helm.look()
    assert source.orders == [], "what is not written down as begun could be done a second time"
    disk.relieve()
    helm.look()
    helm.look()
    assert source.orders == [number]

    # The daemon ends before it reports, and the next one meets a full disk.
    query = "SELECT done, outcome FROM acquisition_journal"
    disk.fill()
    with pytest.raises(StoreError, match=FULL):
        Helm(bench.store, [source], "run 7").restore()  # type: ignore[list-item]
    assert read_rows(bench.state, query) == [(None, "under way")]
    disk.relieve()
    Helm(bench.store, [source], "run 7").restore()  # type: ignore[list-item]
    assert read_rows(bench.state, query) == [(0, "the daemon ended before it reported")]
    assert source.orders == [number]
    expect_whole(bench)


def refuse(*, permanent: bool) -> Callable[[str, Message], None]:
    def answer(_channel: str, _message: Message) -> None:
        raise DeliveryError("no such user", permanent=permanent)

    return answer


# The receiver's answer, how often it has the message in the end, and the state of the message.
DELIVERED: dict[str, tuple[Callable[[str, Message], None] | None, int, str]] = {
    "delivered": (None, 1, "done"),
    "postponed": (refuse(permanent=False), 2, "waits"),
    "abandoned": (refuse(permanent=True), 2, "given up"),
}


@pytest.mark.parametrize("name", DELIVERED)
def test_what_became_of_a_message_is_recorded_later_and_a_taken_one_is_not_sent_again(
    bench: Bench, disk: FullDisk, name: str
) -> None:
    answer, times, end = DELIVERED[name]
    notifier = FakeNotifier() if answer is None else FakeNotifier(answer=answer)
    delivery = Delivery(
        bench.store,
        notifier,
        clock=bench.clock,
        retry_s=60,
        rng=random.Random(1),
        channels=["mail"],
    )
    bench.store.announce(message(), ["mail"])
    disk.fill()
    with pytest.raises(StoreError, match=FULL):
        delivery.drain()
    (trouble,) = delivery.troubles()
    assert trouble.startswith("delivery: result database cannot be used: ")
    disk.relieve()
    delivery.drain()
    assert delivery.troubles() == []
    assert len(notifier.tried) == times
    state = (
        "SELECT CASE WHEN done_at IS NOT NULL THEN 'done'"
        " WHEN abandoned_at IS NOT NULL THEN 'given up' ELSE 'waits' END, attempts FROM outbox"
    )
    assert read_rows(bench.state, state) == [(end, 1)]
    expect_whole(bench)


def test_a_database_that_cannot_be_made_is_made_at_the_next_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with small_file_system(state, 4):
        ballast = fill(state)
        with pytest.raises(StoreError, match="result database cannot be used"):
            open_writer(state)
        ballast.unlink()
        open_writer(state).dispose()
        with closing(sqlite3.connect(state / DATABASE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


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


def test_a_time_that_becomes_known_on_a_full_disk_is_recorded_later(
    bench: Bench, disk: FullDisk
) -> None:
    assert bench.score() == [FrameOutcome.SCORED]
    ((source, locator, fingerprint),) = read_rows(
        bench.state, "SELECT source, locator, fingerprint FROM frames"
    )
    ticket = FrameTicket(
        key=key(),
        source=str(source),
        locator=str(locator),
        fingerprint=str(fingerprint),
        seen_at=START,
        acquired_at=START + timedelta(hours=3),
    )
    before = tables(bench.state)
    disk.fill()
    with pytest.raises(StoreError, match=FULL):
        bench.store.retime(ticket)
    disk.relieve()
    assert tables(bench.state) == before
    assert bench.store.retime(ticket)
    expect_whole(bench)


# Requests of people.
ASKED = ("take_back", "ask_again", "close_retry_requests")


def transaction_of(method: str) -> str:
    """Return the place of a method of `Store`, which inherits some from its parent."""
    (owner,) = (each for each in Store.__mro__ if method in vars(each))
    file = "/".join(owner.__module__.split(".")[1:])
    return f"{file}.py {owner.__name__}.{method} write_unit"


COVERED = {
    *(transaction_of(name) for name in WORKED if "," not in name),
    *(transaction_of(name) for name in (*RECORDED, *DELIVERED, *ASKED, *STEERED, "retime")),
    "store/schema/engine.py open_writer begin",
}
