from dataclasses import replace

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.moment import Moment
from scopewatch.sources.base.address import frame_key
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.reading import FrameReading
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN


def key(time_point: int) -> FrameKey:
    return frame_key(PlaneFacts(time_point=time_point), RUN)


def found(index: int) -> Found:
    return Found(locator=f"{index}.tif", fingerprint="1", key=key(index))


def taken(each: Found, elapsed_s: float) -> Found:
    assert each.key is not None
    reading = FrameReading(
        key=each.key, pixel_size_um=None, acquired_at=None, elapsed_s=elapsed_s, accepted={}
    )
    return replace(each, reading=reading)


class Scene:
    def __init__(self, clock: FakeClock, room: int = 10_000, remembered: int = 1000) -> None:
        self.clock = clock
        self.inbox, self.ledger = FakeInbox(room), FakeLedger()
        self.offering = Offering("s", self.inbox, self.ledger, clock, remembered=remembered)

    def offer(self, *things: Found) -> int:
        return self.offering.offer(self.offering.unsettled(things))


def test_a_thing_is_offered_once(clock: FakeClock) -> None:
    scene = Scene(clock)
    assert scene.offer(found(0), found(1)) == 2
    assert scene.offer(found(0), found(1)) == 0
    assert [ticket.locator for ticket in scene.inbox.tickets] == ["0.tif", "1.tif"]
    assert scene.offering.found == 2


def test_what_the_inbox_refuses_is_offered_again(clock: FakeClock) -> None:
    scene = Scene(clock, room=1)
    assert scene.offer(found(0), found(1)) == 1
    scene.inbox.room = 5
    assert scene.offer(found(0), found(1)) == 1
    assert [ticket.locator for ticket in scene.inbox.tickets] == ["0.tif", "1.tif"]


def test_what_is_settled_is_never_offered(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.ledger.done.add(("s", "0.tif", "1"))
    assert scene.offer(found(0), found(1)) == 1
    assert scene.inbox.tickets[0].locator == "1.tif"
    assert not scene.offering.pending("0.tif", "1")


def test_a_changed_thing_is_offered_again(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.offer(found(0))
    assert scene.offer(Found(locator="0.tif", fingerprint="2", key=key(0))) == 1


def test_what_the_worker_had_to_let_go_is_offered_again_after_a_while(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.offer(found(0), found(1))
    scene.ledger.settle(scene.inbox.tickets[0])
    clock.advance(599)
    assert scene.offer(found(0), found(1)) == 0
    assert scene.offering.on_its_way(found(1))
    clock.advance(1)
    assert not scene.offering.on_its_way(found(1))
    assert scene.offer(found(0), found(1)) == 1
    assert [ticket.locator for ticket in scene.inbox.tickets] == ["0.tif", "1.tif", "1.tif"]
    assert scene.offering.found == 2


def test_the_ledger_is_asked_in_batches(clock: FakeClock) -> None:
    scene = Scene(clock)
    assert len(scene.offering.unsettled([found(index) for index in range(1200)])) == 1200
    assert scene.ledger.asked == [500, 500, 200]


def test_a_ledger_that_does_not_answer_loses_nothing(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.ledger.broken = True
    with pytest.raises(StoreError, match="database is locked"):
        scene.offer(found(0))
    scene.ledger.broken = False
    assert scene.offer(found(0)) == 1


def test_the_memory_is_bounded_and_what_it_forgot_is_asked_again(clock: FakeClock) -> None:
    scene = Scene(clock, remembered=10)
    things = [found(index) for index in range(50)]
    scene.ledger.done |= {("s", each.locator, each.fingerprint) for each in things}
    assert scene.offering.unsettled(things) == []
    assert sum(scene.offering.pending(each.locator, "1") for each in things) == 40
    assert scene.offering.unsettled(things) == []
    assert scene.ledger.asked == [50, 40]


def test_a_refusal_is_handed_on_with_its_reason(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.offer(Found(locator="x.tif", fingerprint="1", reason="no name"))
    (refusal,) = scene.inbox.refusals
    assert (refusal.source, refusal.locator, refusal.reason) == ("s", "x.tif", "no name")
    assert refusal.seen_at == clock.now()


def test_what_is_settled_is_offered_again_once_its_moment_is_known(clock: FakeClock) -> None:
    scene = Scene(clock)
    scene.offer(found(0))
    scene.ledger.settle(scene.inbox.tickets[0])
    scene.ledger.moments["s", "0.tif"] = Moment()
    clock.advance(600)
    assert scene.offer(found(0)) == 0
    known = taken(found(0), 60.0)
    assert scene.offer(known) == 1
    assert scene.offer(known) == 0, "it is on its way"
    assert scene.inbox.tickets[1] == replace(
        scene.inbox.tickets[0], elapsed_s=60.0, seen_at=clock.now()
    )
    scene.ledger.settle(scene.inbox.tickets[1])
    clock.advance(600)
    asked = len(scene.ledger.asked)
    assert (scene.offer(known), scene.offer(known), scene.offer(found(0))) == (0, 0, 0)
    assert len(scene.ledger.asked) == asked + 1, "and then it is remembered"
    assert scene.offering.found == 1


def test_a_moment_that_cannot_be_is_refused_and_holds_up_nothing(clock: FakeClock) -> None:
    scene = Scene(clock)
    assert scene.offer(taken(found(0), -60.0), found(1)) == 2
    assert [ticket.locator for ticket in scene.inbox.tickets] == ["1.tif"]
    assert scene.inbox.reasons == [
        "frame lies before the start of its run: 0.tif (expected >= 0 s, got -60 s);"
        " correct the time in the name or the metadata"
    ]
