from collections.abc import Callable
from itertools import pairwise

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.core.source import Inbox, Ledger
from scopewatch.core.tickets import Mark
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource, FakeStore, make_refusal, make_ticket

MISSING = "folder does not exist: /mnt/scope; mount the share"


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def heartbeats(clock: FakeClock) -> Heartbeats:
    return Heartbeats(clock, stall_s=60)


@pytest.fixture
def inbox(clock: FakeClock) -> BoundedInbox:
    return BoundedInbox(10, clock)


@pytest.fixture
def watcher(
    source: FakeSource, inbox: BoundedInbox, clock: FakeClock, heartbeats: Heartbeats
) -> SourceSupervisor:
    return SourceSupervisor(
        source,
        inbox=inbox,
        ledger=FakeStore(),
        clock=clock,
        heartbeats=heartbeats,
        rescan_s=30,
    )


def check_for(watcher: SourceSupervisor, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1)
        watcher.check()


def test_a_source_is_started_once_and_scanned_periodically(
    watcher: SourceSupervisor, source: FakeSource, clock: FakeClock
) -> None:
    watcher.check()
    assert watcher.watching
    check_for(watcher, clock, 95)
    assert (source.started, source.scans) == (1, 3)


def test_scans_that_take_a_moment_come_as_often_as_they_are_to(
    watcher: SourceSupervisor, source: FakeSource, clock: FakeClock
) -> None:
    source.on_scan = lambda _inbox, _ledger: clock.advance(0.01)
    watcher.check()
    scanned_at = []
    for second in range(1, 100):
        clock.advance(second - clock.seconds)
        before = source.scans
        watcher.check()
        if source.scans > before:
            scanned_at.append(second)
    assert scanned_at == [30, 60, 90]


def test_a_missing_folder_is_tried_again_with_growing_delays(
    watcher: SourceSupervisor, source: FakeSource, clock: FakeClock
) -> None:
    source.start_failures = [SourceError(MISSING) for _ in range(3)]
    watcher.check()
    assert not watcher.watching
    assert watcher.trouble == MISSING
    left = []
    for _ in range(8):
        left.append(len(source.start_failures))
        clock.advance(1)
        watcher.check()
    # Tried after 1, 2 and 4 s: at 1, 3 and 7 s.
    assert left == [2, 1, 1, 0, 0, 0, 0, 0]
    assert watcher.watching
    assert watcher.trouble == ""


def test_a_dead_source_is_stopped_and_started_again(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher.check()
    source.alive = False
    watcher.check()
    assert (watcher.watching, watcher.trouble, source.stopped) == (
        False,
        "observer died",
        1,
    )
    check_for(watcher, clock, 2)
    assert watcher.watching
    assert (source.started, watcher.restarts) == (2, 1)
    assert "source not watching" in caplog.text


def test_a_source_that_dies_right_after_each_start_waits_longer_and_is_logged_once(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    starts: list[float] = []
    for _ in range(600):
        before = source.started
        watcher.check()
        if source.started > before:
            starts.append(clock.seconds)
            source.alive = False
        clock.advance(1)
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert gaps[:5] == [2, 3, 5, 9, 17]
    assert set(gaps[6:]) == {61}
    logged = [record.message for record in caplog.records]
    assert (logged.count("source not watching"), logged.count("source watching")) == (1, 2)


def test_a_source_that_watched_for_a_minute_is_started_at_once_when_it_dies_again(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher.check()
    for _ in range(3):
        source.alive = False
        check_for(watcher, clock, 2)
        assert watcher.watching
        check_for(watcher, clock, 61)
    assert [record.message for record in caplog.records] == ["source not watching"] * 3


def test_a_source_that_could_not_start_for_long_begins_to_watch_at_once(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    source.start_failures = [SourceError(MISSING) for _ in range(9)]
    watcher.check()
    check_for(watcher, clock, 600)
    logged = [record.message for record in caplog.records]
    assert logged == ["source not watching", "source watching"]


def test_what_a_source_that_watches_cannot_give_is_known(
    watcher: SourceSupervisor, source: FakeSource, clock: FakeClock
) -> None:
    watcher.check()
    source.failing = "the camera gives no image"
    check_for(watcher, clock, 1)
    assert (watcher.watching, watcher.failing) == (
        True,
        "the camera gives no image",
    )
    source.failing = ""
    check_for(watcher, clock, 1)
    assert watcher.failing == ""


def test_a_source_that_breaks_its_promise_is_caught_and_started_again(
    watcher: SourceSupervisor, source: FakeSource, clock: FakeClock
) -> None:
    def fail(_inbox: Inbox, _ledger: Ledger) -> None:
        raise KeyError("oops")

    watcher.check()
    source.on_scan = fail
    check_for(watcher, clock, 30)
    assert not watcher.watching
    assert watcher.trouble == "KeyError: 'oops'"
    source.on_scan = None
    check_for(watcher, clock, 2)
    assert watcher.watching


def test_a_long_scan_that_finds_things_is_no_stall(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    heartbeats: Heartbeats,
    inbox: BoundedInbox,
) -> None:
    stalled: list[dict[str, float]] = []

    def scan_slowly(to: Inbox, ledger: Ledger) -> None:
        def after(do: Callable[[], object]) -> None:
            clock.advance(50)
            do()
            stalled.append(heartbeats.stalled())

        after(lambda: to.offer(make_ticket()))
        after(lambda: ledger.settled("folder", [Mark("a.tif", "1")]))
        after(lambda: to.refuse(make_refusal()))

    watcher.check()
    source.on_scan = scan_slowly
    check_for(watcher, clock, 30)
    assert stalled == [{}, {}, {}]
    assert inbox.depth == 2


def test_a_scan_that_hangs_is_seen_as_a_stall(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    heartbeats: Heartbeats,
) -> None:
    silent: list[dict[str, float]] = []

    def hang(_inbox: Inbox, _ledger: Ledger) -> None:
        clock.advance(61)
        silent.append(heartbeats.stalled())

    watcher.check()
    source.on_scan = hang
    check_for(watcher, clock, 30)
    assert silent == [{"source folder": 61}]


def test_a_retired_source_is_stopped_and_left_alone(
    watcher: SourceSupervisor,
    source: FakeSource,
    clock: FakeClock,
    heartbeats: Heartbeats,
) -> None:
    watcher.check()
    watcher.retire()
    check_for(watcher, clock, 100)
    assert (source.started, source.stopped, source.scans) == (1, 1, 0)
    assert heartbeats.stalled() == {}
