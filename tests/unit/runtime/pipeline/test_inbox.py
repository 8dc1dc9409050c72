import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.runtime.pipeline.inbox import BoundedInbox, InboxCounts
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import make_refusal, make_ticket


def test_items_of_one_moment_come_out_in_the_order_they_came_in(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    assert inbox.offer(make_ticket("a.tif"))
    assert inbox.refuse(make_refusal("b.tif"))
    assert inbox.offer(make_ticket("c.tif"))
    assert [inbox.take(0) for _ in range(3)] == [
        make_refusal("b.tif"),
        make_ticket("a.tif"),
        make_ticket("c.tif"),
    ]
    assert inbox.take(0) is None


def test_earlier_time_points_come_out_first_however_they_were_found(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    for time_point in (2, 0, 1, 0):
        inbox.offer(make_ticket(f"{time_point}{inbox.depth}.tif", time_point=time_point))
    taken = [inbox.take(0) for _ in range(4)]
    assert [item.locator for item in taken if item] == ["01.tif", "03.tif", "12.tif", "20.tif"]


def test_an_early_frame_that_fails_again_and_again_does_not_hold_up_the_later_ones(
    clock: FakeClock,
) -> None:
    inbox = BoundedInbox(8, clock)
    inbox.offer(make_ticket("early.tif", time_point=0))
    inbox.offer(make_ticket("late.tif", time_point=9))
    first = inbox.take(0)
    assert first is not None
    inbox.put_back(first)
    assert [item.locator for item in (inbox.take(0), inbox.take(0)) if item] == [
        "late.tif",
        "early.tif",
    ]


def test_a_full_inbox_turns_offers_down_and_counts_them(clock: FakeClock) -> None:
    inbox = BoundedInbox(2, clock)
    answers = [inbox.offer(make_ticket(f"{number}.tif")) for number in range(5)]
    assert answers == [True, True, False, False, False]
    assert not inbox.refuse(make_refusal())
    assert inbox.counts == InboxCounts(taken_in=2, repeated=0, turned_down=4)


def test_what_waits_is_not_queued_twice(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    assert inbox.offer(make_ticket())
    assert inbox.offer(make_ticket())
    assert inbox.depth == 1
    assert inbox.counts.repeated == 1


def test_an_item_being_processed_is_not_queued_until_it_is_done(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    inbox.offer(make_ticket())
    item = inbox.take(0)
    assert item == make_ticket()
    assert inbox.offer(make_ticket())
    assert inbox.depth == 0
    inbox.done(make_ticket())
    assert inbox.offer(make_ticket())
    assert inbox.depth == 1


def test_a_file_that_changes_while_it_waits_keeps_its_turn(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    inbox.offer(make_ticket("a.tif"))
    inbox.offer(make_ticket("b.tif"))
    assert inbox.offer(make_ticket("a.tif", fingerprint="2"))
    assert inbox.take(0) == make_ticket("a.tif", fingerprint="2")
    assert inbox.depth == 1


def test_a_file_that_changes_while_it_is_processed_must_be_offered_again(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    inbox.offer(make_ticket("a.tif"))
    inbox.take(0)
    assert not inbox.offer(make_ticket("a.tif", fingerprint="2"))
    inbox.done(make_ticket("a.tif"))
    assert inbox.offer(make_ticket("a.tif", fingerprint="2"))


def test_an_item_put_back_waits_behind_the_others_even_when_full(clock: FakeClock) -> None:
    inbox = BoundedInbox(2, clock)
    inbox.offer(make_ticket("a.tif"))
    inbox.offer(make_ticket("b.tif"))
    first = inbox.take(0)
    assert first is not None
    inbox.offer(make_ticket("c.tif"))
    inbox.put_back(first)
    assert inbox.depth == 3
    assert [inbox.take(0) for _ in range(3)] == [
        make_ticket("b.tif"),
        make_ticket("c.tif"),
        make_ticket("a.tif"),
    ]


def test_a_closed_inbox_gives_nothing_out_and_takes_nothing_in(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    inbox.offer(make_ticket("a.tif"))
    inbox.close()
    assert inbox.take(60) is None
    assert not inbox.offer(make_ticket("b.tif"))


def test_closing_wakes_waiting_threads(clock: FakeClock, eventually: Callable[..., None]) -> None:
    inbox = BoundedInbox(8, clock)
    taken: list[object] = []
    waiter = threading.Thread(target=lambda: taken.append(inbox.take(30)))
    waiter.start()
    inbox.close()
    eventually(lambda: taken == [None])
    waiter.join(5)


def test_waiting_for_an_item_takes_none(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    assert not inbox.wait(0)
    inbox.offer(make_ticket())
    assert inbox.wait(0)
    assert inbox.depth == 1
    inbox.close()
    assert not inbox.wait(60)


def test_the_age_of_the_oldest_item_is_reported(clock: FakeClock) -> None:
    inbox = BoundedInbox(8, clock)
    assert inbox.oldest_s() == 0
    inbox.offer(make_ticket("a.tif"))
    clock.advance(5)
    inbox.offer(make_ticket("b.tif"))
    clock.advance(2)
    assert inbox.oldest_s() == 7
    inbox.take(0)
    assert inbox.oldest_s() == 2


def test_an_inbox_for_nothing_is_refused(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="at least one item, not 0"):
        BoundedInbox(0, clock)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("offer"), st.integers(0, 5)),
            st.tuples(st.sampled_from(["take", "done", "put_back"]), st.just(0)),
        ),
        max_size=60,
    )
)
def test_nothing_taken_in_is_lost_or_handed_out_twice(steps: list[tuple[str, int]]) -> None:
    capacity = 3
    inbox = BoundedInbox(capacity, FakeClock())
    known: set[str] = set()
    current: str | None = None
    for what, number in steps:
        if what == "offer":
            locator = f"{number}.tif"
            new = locator not in known
            if inbox.offer(make_ticket(locator)):
                known.add(locator)
            assert new or locator in known
        elif what == "take" and current is None:
            item = inbox.take(0)
            if item is not None:
                assert item.locator in known
                current = item.locator
        elif current is not None and what == "done":
            inbox.done(make_ticket(current))
            known.remove(current)
            current = None
        elif current is not None and what == "put_back":
            inbox.put_back(make_ticket(current))
            current = None
        assert inbox.depth == len(known) - (current is not None)
        assert inbox.depth <= capacity + 1


def test_a_time_that_becomes_known_while_a_frame_is_processed_is_offered_again(
    clock: FakeClock,
) -> None:
    inbox = BoundedInbox(2, clock)
    plain = make_ticket()
    dated = replace(plain, elapsed_s=60.0)
    inbox.offer(plain)
    taken = inbox.take(0)
    assert taken is not None
    assert inbox.offer(plain)
    assert not inbox.offer(dated)
    inbox.done(taken)
    assert inbox.offer(dated)
    assert inbox.take(0) == dated
