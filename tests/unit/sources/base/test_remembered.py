"""A table of fixed size remembers the newest items, and never more than it has room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.base.remembered import MOMENT_BITS, Memo, Remembered

# Few, so that they meet.
MARKS = st.integers(1, 16)
MOMENTS = st.integers(0, MOMENT_BITS)


@pytest.mark.parametrize("mark", [0, 1, -1, 2**63 - 1, -(2**63), 4232102217451283110])
def test_an_item_is_settled_or_taken_until_it_is_forgotten(mark: int) -> None:
    memory = Remembered(100)
    assert memory.get(mark) is None
    memory.take(mark, 12.9, 7)
    assert memory.get(mark) == Memo(taken_s=12, moment=7)
    memory.settle(mark, MOMENT_BITS)
    assert memory.get(mark) == Memo(taken_s=None, moment=MOMENT_BITS)
    memory.forget(mark)
    assert memory.get(mark) is None
    assert len(memory) == 0


def test_what_was_taken_when_the_machine_started_is_not_taken_for_settled() -> None:
    memory = Remembered(1)
    memory.take(5, 0.0, 0)
    assert memory.get(5) == Memo(taken_s=0, moment=0)


def test_a_full_row_forgets_its_oldest_item_and_fills_gaps_first() -> None:
    memory = Remembered(3)
    for mark in (1, 2, 3):
        memory.settle(mark, mark)
    memory.settle(1, 9)  # becomes the newest
    memory.settle(4, 4)
    assert [memory.get(mark) is not None for mark in (1, 2, 3, 4)] == [True, False, True, True]
    memory.forget(4)
    memory.settle(5, 5)
    assert [memory.get(mark) is not None for mark in (1, 3, 5)] == [True, True, True]


@given(
    st.lists(st.tuples(st.sampled_from(("settle", "take", "forget")), MARKS, MOMENTS), max_size=60)
)
def test_it_holds_what_a_dictionary_holds_while_there_is_room(
    calls: list[tuple[str, int, int]],
) -> None:
    # As many places as a row has: all of it is one row, and nothing falls out.
    memory, expected = Remembered(16), dict[int, Memo]()
    for number, (what, mark, moment) in enumerate(calls):
        expected.pop(mark, None)
        if what == "settle":
            memory.settle(mark, moment)
            expected[mark] = Memo(None, moment)
        elif what == "take":
            memory.take(mark, float(number), moment)
            expected[mark] = Memo(number, moment)
        else:
            memory.forget(mark)
    assert {mark: memory.get(mark) for mark in range(1, 17)} == {
        mark: expected.get(mark) for mark in range(1, 17)
    }


def test_half_full_it_forgets_hardly_any_and_full_it_holds_no_more() -> None:
    capacity = 1 << 14
    memory = Remembered(capacity)
    marks = [hash((f"t{number}/a.tif", "1")) for number in range(capacity // 2)]
    for mark in marks:
        memory.settle(mark, 0)
    lost = sum(memory.get(mark) is None for mark in marks)
    assert lost <= len(marks) / 200, lost
    for number in range(4 * capacity):
        memory.take(hash((number, "later")), number, number & MOMENT_BITS)
    assert len(memory) <= capacity
