from collections.abc import Callable
from itertools import pairwise

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.core.imaging.frame import Mark
from scopewatch.core.source import Inbox, Ledger
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.source_supervisor import SourceKeeper
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
def keeper(
    source: FakeSource, inbox: BoundedInbox, clock: FakeClock, heartbeats: Heartbeats
) -> SourceKeeper:
    return SourceKeeper(
        source,
        inbox=inbox,
        ledger=FakeStore(),
        clock=clock,
        heartbeats=heartbeats,
        rescan_s=30,
    )


def tend_for(keeper: SourceKeeper, clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1)
        keeper.tend()


def test_a_source_is_started_once_and_scanned_periodically(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock
) -> None:
    keeper.tend()
    assert keeper.watching
    tend_for(keeper, clock, 95)
    assert (source.started, source.scans) == (1, 3)


def test_scans_that_take_a_moment_come_as_often_as_they_are_to(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock
) -> None:
    source.on_scan = lambda _inbox, _ledger: clock.advance(0.01)
    keeper.tend()
    scanned_at = []
    for second in range(1, 100):
        clock.advance(second - clock.seconds)
        before = source.scans
        keeper.tend()
        if source.scans > before:
            scanned_at.append(second)
    assert scanned_at == [30, 60, 90]


def test_a_missing_folder_is_tried_again_with_growing_delays(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock
) -> None:
    source.start_failures = [SourceError(MISSING) for _ in range(3)]
    keeper.tend()
    assert not keeper.watching
    assert keeper.trouble == MISSING
    left = []
    for _ in range(8):
        left.append(len(source.start_failures))
        clock.advance(1)
        keeper.tend()
    # Tried after 1, 2 and 4 s: at 1, 3 and 7 s.
    assert left == [2, 1, 1, 0, 0, 0, 0, 0]
    assert keeper.watching
    assert keeper.trouble == ""


def test_a_dead_source_is_stopped_and_started_again(
    keeper: SourceKeeper,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeper.tend()
    source.alive = False
    keeper.tend()
    assert (keeper.watching, keeper.trouble, source.stopped) == (False, "observer died", 1)
    tend_for(keeper, clock, 2)
    assert keeper.watching
    assert (source.started, keeper.restarts) == (2, 1)
    assert "source not watching" in caplog.text


def test_a_source_that_dies_right_after_each_start_waits_longer_and_is_logged_once(
    keeper: SourceKeeper,
    source: FakeSource,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    starts: list[float] = []
    for _ in range(600):
        before = source.started
        keeper.tend()
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
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    keeper.tend()
    for _ in range(3):
        source.alive = False
        tend_for(keeper, clock, 2)
        assert keeper.watching
        tend_for(keeper, clock, 61)
    assert [record.message for record in caplog.records] == ["source not watching"] * 3


def test_a_source_that_could_not_be_started_for_long_is_told_to_watch_at_once(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    source.start_failures = [SourceError(MISSING) for _ in range(9)]
    keeper.tend()
    tend_for(keeper, clock, 600)
    logged = [record.message for record in caplog.records]
    assert logged == ["source not watching", "source watching"]


def test_what_a_source_that_watches_cannot_give_is_known(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock
) -> None:
    keeper.tend()
    source.failing = "the camera gives no image"
    tend_for(keeper, clock, 1)
    assert (keeper.watching, keeper.failing) == (True, "the camera gives no image")
    source.failing = ""
    tend_for(keeper, clock, 1)
    assert keeper.failing == ""


def test_a_source_that_breaks_its_promise_is_caught_and_started_again(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock
) -> None:
    def fail(_inbox: Inbox, _ledger: Ledger) -> None:
        raise KeyError("oops")

    keeper.tend()
    source.on_scan = fail
    tend_for(keeper, clock, 30)
    assert not keeper.watching
    assert keeper.trouble == "KeyError: 'oops'"
    source.on_scan = None
    tend_for(keeper, clock, 2)
    assert keeper.watching


def test_a_long_scan_that_finds_things_is_no_stall(
    keeper: SourceKeeper,
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

    keeper.tend()
    source.on_scan = scan_slowly
    tend_for(keeper, clock, 30)
    assert stalled == [{}, {}, {}]
    assert inbox.depth == 2


def test_a_scan_that_hangs_is_seen_as_a_stall(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock, heartbeats: Heartbeats
) -> None:
    silent: list[dict[str, float]] = []

    def hang(_inbox: Inbox, _ledger: Ledger) -> None:
        clock.advance(61)
        silent.append(heartbeats.stalled())

    keeper.tend()
    source.on_scan = hang
    tend_for(keeper, clock, 30)
    assert silent == [{"source folder": 61}]


def test_a_retired_source_is_stopped_and_left_alone(
    keeper: SourceKeeper, source: FakeSource, clock: FakeClock, heartbeats: Heartbeats
) -> None:
    keeper.tend()
    keeper.retire()
    tend_for(keeper, clock, 100)
    assert (source.started, source.stopped, source.scans) == (1, 1, 0)
    assert heartbeats.stalled() == {}
