"""Items mapped over a cluster: order, bounds, processes that die."""

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from scopewatch.runtime.cluster.ordered import Lost, OrderedMap, Ready

if TYPE_CHECKING:
    from distributed import Client


def square(base: int, item: int) -> int:
    """Return base + item^2, later for the first items; 13 ends the process, 17 is refused."""
    if item == 13:
        os._exit(1)
    if item == 17:
        raise ValueError("17 is refused")
    time.sleep(0.02 * (item < 3))
    return base + item * item


def test_results_come_in_order_and_few_items_are_taken_ahead(client: "Client") -> None:
    taken: list[int] = []

    def items() -> Iterator[int | Ready[int]]:
        for number in (*range(10), *range(20, 40)):
            taken.append(number)
            yield Ready(result=-number) if number % 5 == 0 else number

    work: OrderedMap[int, int] = OrderedMap(client, square, 1)
    results = work.run(items())
    assert next(results) == 0
    assert len(taken) <= 8, "four for each of two processes"
    rest = list(results)
    expected = [-n if n % 5 == 0 else 1 + n * n for n in (*range(1, 10), *range(20, 40))]
    assert rest == expected
    assert work.most_in_work <= 8


def test_an_item_that_ends_its_process_is_given_up_and_no_other_is(client: "Client") -> None:
    work: OrderedMap[int, int] = OrderedMap(client, square, 0)
    results = list(work.run(range(10, 16)))
    assert results == [100, 121, 144, Lost(item=13), 196, 225]


def test_what_the_function_raises_is_raised_here(client: "Client") -> None:
    work: OrderedMap[int, int] = OrderedMap(client, square, 0)
    with pytest.raises(ValueError, match="17 is refused"):
        list(work.run([1, 17]))
