"""Messages and orders meet a full disk: each goes out once."""

import random
from collections.abc import Callable

import pytest

from scopewatch.app.steering import Helm
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Order, Report
from scopewatch.core.errors import DeliveryError, StoreError
from scopewatch.messages.message import Message
from scopewatch.notify.delivery import Delivery
from tests.integration.full_disk import Bench
from tests.integration.full_state import FULL, FullDisk, Healthy, expect_whole, transaction_of
from tests.unit.notify.fakes import FakeNotifier, message
from tests.unit.store.scene import read_rows


class SteeredSource(Healthy):
    """A time-lapse that counts the orders that it is handed."""

    acquires = True

    def __init__(self) -> None:
        self.orders: list[int] = []

    def order(self, order: Order) -> None:
        self.orders.append(order.number)

    def reports(self) -> list[Report]:
        return []

    def restore(self, _held: JournalEntry | None) -> None:
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
    number = bench.store.order("folder", "run 7", Act.NOW, "a test")
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


COVERED = {transaction_of(name) for name in (*DELIVERED, *STEERED)}
