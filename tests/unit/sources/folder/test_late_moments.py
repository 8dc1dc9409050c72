"""Moments that became known late wait until new frames were offered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.folder.late_moments import LATE_S, LateMoments
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def found(time_point: int, hours: float) -> Found:
    key = FrameKey(run="HES7", plate="p", well="A1", site=0, time_point=time_point, channel="phase")
    reading = FrameReading(
        key=key,
        pixel_size_um=None,
        acquired_at=START + timedelta(hours=hours),
        elapsed_s=None,
        accepted={},
    )
    return Found(locator=f"a.tif#page={time_point}", fingerprint="x", key=key, reading=reading)


class Bench:
    def __init__(self, clock: FakeClock) -> None:
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.offering = Offering("folder", self.inbox, self.ledger, clock)

    def settle(self, *frames: Found) -> None:
        self.offering.offer(frames)
        self.ledger.settle(*self.inbox.tickets)
        self.offering.unsettled(frames)


def test_only_moments_of_known_frames_are_kept_back(clock: FakeClock) -> None:
    bench, late = Bench(clock), LateMoments()
    known = [found(time, time) for time in range(2)]
    bench.settle(*known)
    moved = [found(time, time + 0.5) for time in range(3)]
    wanted = bench.offering.unsettled(moved)
    assert wanted == moved
    assert late.keep_back(bench.offering, wanted, 0.0) == [moved[2]]
    assert late.step(bench.offering, LATE_S - 0.1)
    assert len(bench.inbox.tickets) == 2
    assert late.step(bench.offering, LATE_S)
    assert [each.acquired_at for each in bench.inbox.tickets[2:]] == [
        START + timedelta(hours=time + 0.5) for time in range(2)
    ]
    assert len(late) == 0


def test_the_last_moment_that_is_reported_counts(clock: FakeClock) -> None:
    bench, late = Bench(clock), LateMoments()
    bench.settle(found(0, 0))
    for hours in (1, 2):
        late.keep_back(bench.offering, [found(0, hours)], 0.0)
    late.step(bench.offering, LATE_S)
    assert [each.acquired_at for each in bench.inbox.tickets[1:]] == [START + timedelta(hours=2)]


def test_what_the_inbox_does_not_take_stays(clock: FakeClock) -> None:
    bench, late = Bench(clock), LateMoments()
    known = [found(time, time) for time in range(4)]
    bench.settle(*known)
    moved = [found(time, time + 0.5) for time in range(4)]
    late.keep_back(bench.offering, moved, 0.0)
    bench.inbox.room = 3
    assert not late.step(bench.offering, LATE_S)
    assert len(late) == 1
    bench.inbox.room = 3
    assert late.step(bench.offering, LATE_S)
    assert len(bench.inbox.tickets) == 8


def test_all_stays_while_the_ledger_does_not_answer(clock: FakeClock) -> None:
    bench, late = Bench(clock), LateMoments()
    bench.settle(found(0, 0))
    late.keep_back(bench.offering, [found(0, 1)], 0.0)
    bench.ledger.broken = True
    with pytest.raises(StoreError):
        late.step(bench.offering, LATE_S)
    assert len(late) == 1


def test_what_is_kept_back_is_bounded_and_refusals_never_are_kept(clock: FakeClock) -> None:
    bench, late = Bench(clock), LateMoments(held=2)
    known = [found(time, time) for time in range(5)]
    bench.settle(*known)
    assert late.keep_back(bench.offering, [found(time, 9) for time in range(5)], 0.0) == []
    assert len(late) == 2
    refusal = replace(found(7, 7), key=None, reading=None, reason="no frame")
    assert late.keep_back(bench.offering, [refusal], 0.0) == [refusal]
