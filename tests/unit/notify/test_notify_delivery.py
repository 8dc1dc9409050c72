import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from scopewatch.core.errors import DeliveryError
from scopewatch.messages.message import Message
from scopewatch.notify.breaker import BreakerRule, Circuit
from scopewatch.notify.delivery import Delivery
from scopewatch.notify.no_channels import NoChannels
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from tests.conftest import FakeClock
from tests.unit.notify.fakes import FakeNotifier, FakeOutbox, message

RETRY_S = 60.0


class DeliveryBench:
    """A delivery whose clock, outbox and notifier the test controls."""

    def __init__(self, clock: FakeClock, retry_s: float = RETRY_S) -> None:
        self.clock = clock
        self.outbox = FakeOutbox()
        self.notifier = FakeNotifier()
        self.beats = 0
        self.delivery = Delivery(
            self.outbox,
            self.notifier,
            clock=clock,
            retry_s=retry_s,
            rng=random.Random(1),
            progress=self.beat,
        )

    def beat(self) -> None:
        self.beats += 1

    def put(self, channel: str, *titles: str, attachments: tuple[str, ...] = ()) -> None:
        for title in titles:
            self.outbox.put(channel, message(title, attachments=attachments), self.clock.now())

    def titles(self) -> list[tuple[str, str]]:
        return [(channel, taken.title) for channel, taken in self.notifier.taken]


def refusing(*channels: str, permanent: bool = False) -> Callable[[str, Message], None]:
    def answer(channel: str, _message: Message) -> None:
        if channel in channels:
            raise DeliveryError("receiver says no", permanent=permanent)

    return answer


@pytest.fixture
def bench(clock: FakeClock) -> DeliveryBench:
    return DeliveryBench(clock)


def test_messages_leave_in_order_and_once(bench: DeliveryBench) -> None:
    bench.put("mail", "one", "two")
    assert bench.delivery.drain() == 2
    assert bench.titles() == [("mail", "one"), ("mail", "two")]
    assert bench.delivery.drain() == 0
    assert bench.beats == 4, "before and after each"


def test_messages_of_former_channels_are_given_up_where_there_is_none_any_more(
    clock: FakeClock,
) -> None:
    outbox = FakeOutbox()
    outbox.put("mail", message("one"), clock.now())
    delivery = Delivery(
        outbox, NoChannels(), clock=clock, retry_s=RETRY_S, rng=random.Random(1), channels=[]
    )
    delivery.drain()
    (row,) = outbox.rows
    assert row.ended == "abandoned"
    assert row.why is not None
    assert "alert channel is not configured any more: mail" in row.why


def test_receivers_that_hang_beside_a_slow_outbox_are_no_stall(bench: DeliveryBench) -> None:
    heartbeats = Heartbeats(bench.clock, stall_s=50)
    silent: list[dict[str, float]] = []

    def take_time(seconds: float) -> None:
        bench.clock.advance(seconds)
        silent.append(heartbeats.stalled())

    class SlowOutbox(FakeOutbox):
        def postponed(self, row: int, until: datetime, why: str) -> None:
            take_time(30)
            super().postponed(row, until, why)

    def hang(channel: str, _message: Message) -> None:
        take_time(45)
        raise DeliveryError(f"{channel} has not answered", permanent=False)

    bench.outbox = SlowOutbox()
    bench.notifier.answer = hang
    bench.put("mail", "one")
    bench.put("chat", "one")
    Delivery(
        bench.outbox,
        bench.notifier,
        clock=bench.clock,
        retry_s=RETRY_S,
        rng=random.Random(1),
        progress=partial(heartbeats.beat, "delivery"),
    ).drain()
    assert silent == [{}] * 4
    bench.clock.advance(51)
    assert heartbeats.stalled() == {"delivery": 51 + 30}, "the test can detect a stall"


def test_how_each_receiver_answers_is_reported_without_secrets(bench: DeliveryBench) -> None:
    delivery = Delivery(
        bench.outbox,
        bench.notifier,
        clock=bench.clock,
        retry_s=RETRY_S,
        rng=random.Random(1),
        channels=("mail", "chat"),
        breaker=BreakerRule(after=2, rest_s=3600),
        redact=lambda text: text.replace("topic", "***"),
    )

    def states() -> list[tuple[Circuit, int, str]]:
        return [(seen.circuit, seen.failures, seen.error) for seen in delivery.receivers()]

    fine = (Circuit.CLOSED, 0, "")
    assert states() == [fine, fine]

    def refuse(channel: str, _message: Message) -> None:
        if channel == "mail":
            raise DeliveryError("topic is shut", permanent=False)

    bench.notifier.answer = refuse
    bench.put("mail", "one")
    bench.put("chat", "one")
    delivery.drain()
    assert states() == [(Circuit.CLOSED, 1, "*** is shut"), fine]
    assert delivery.receivers()[0].text == "1 failure in a row, tried again: *** is shut"
    assert delivery.troubles() == []
    bench.clock.advance(RETRY_S)
    delivery.drain()
    assert states() == [(Circuit.OPEN, 2, "*** is shut"), fine]
    until = delivery.receivers()[0].open_until
    assert until is not None
    assert (
        bench.clock.now() + timedelta(minutes=30) <= until <= bench.clock.now() + timedelta(hours=1)
    )
    assert delivery.troubles() == ["alert channel mail has failed 2 times in a row"]
    bench.clock.advance(3600)
    assert states() == [(Circuit.HALF_OPEN, 2, "*** is shut"), fine]
    assert delivery.receivers()[0].text.startswith("is tried once more after 2 failures in a row")
    assert delivery.troubles() == ["alert channel mail has failed 2 times in a row"]
    bench.notifier.answer = refusing()
    delivery.drain()
    assert states() == [fine, fine]
    assert delivery.troubles() == []


def test_a_channel_that_fails_delays_only_its_own_messages(bench: DeliveryBench) -> None:
    bench.notifier.answer = refusing("mail")
    bench.put("mail", "one", "two")
    bench.put("chat", "one", "two")
    assert bench.delivery.drain() == 2
    assert bench.notifier.tried == [("mail", "one"), ("chat", "one"), ("chat", "two")]
    bench.notifier.answer = refusing()
    bench.clock.advance(RETRY_S)
    bench.delivery.drain()
    assert bench.titles()[2:] == [("mail", "one"), ("mail", "two")]


def test_the_delay_doubles_with_jitter_up_to_a_quarter_of_an_hour(bench: DeliveryBench) -> None:
    bench.notifier.answer = refusing("mail")
    bench.put("mail", "one")
    delays = []
    for _ in range(12):
        bench.delivery.drain()
        delays.append((bench.outbox.rows[0].next_try_at - bench.clock.now()).total_seconds())
        bench.clock.advance(delays[-1])
    longest = [min(RETRY_S * 2**attempt, 900) for attempt in range(12)]
    assert all(most / 2 <= delay <= most for delay, most in zip(delays, longest, strict=True))
    assert len(set(delays)) == len(delays)
    assert len(bench.notifier.tried) == 12


def test_a_receiver_that_is_unavailable_for_weeks_gets_its_message_once_it_is_back(
    bench: DeliveryBench,
) -> None:
    bench.notifier.answer = refusing("mail")
    bench.put("mail", "one")
    bench.outbox.rows[0].attempts = 5000
    bench.delivery.drain()
    bench.notifier.answer = refusing()
    bench.clock.advance(900)
    assert bench.delivery.drain() == 1


@pytest.mark.parametrize("failures", [1, 2], ids=["put off", "at rest"])
def test_a_clock_that_is_set_back_puts_no_message_off_for_longer(
    clock: FakeClock, failures: int
) -> None:
    bench = DeliveryBench(clock)
    delivery = Delivery(
        bench.outbox,
        bench.notifier,
        clock=clock,
        retry_s=RETRY_S,
        rng=random.Random(1),
        breaker=BreakerRule(after=2, rest_s=3600),
    )
    bench.notifier.answer = refusing("mail")
    bench.put("mail", "one")
    for _ in range(failures):
        delivery.drain()
        clock.advance(RETRY_S)
    bench.put("mail", "two")
    bench.notifier.answer = refusing()
    if failures == 2:
        assert delivery.drain() == 0, "the channel rests"
    clock.set_by(-7200)
    assert delivery.drain() == 2
    assert bench.titles() == [("mail", "one"), ("mail", "two")]


def test_a_message_that_is_refused_for_good_does_not_block_the_next(
    bench: DeliveryBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.notifier.answer = refusing("mail", permanent=True)
    bench.put("mail", "one", "two")
    with caplog.at_level(logging.ERROR):
        bench.delivery.drain()
    assert [row.ended for row in bench.outbox.rows] == ["abandoned", "abandoned"]
    assert bench.outbox.rows[0].why == "receiver says no"
    assert [record.message for record in caplog.records] == ["alert given up"] * 2


def test_the_text_is_sent_alone_where_the_picture_is_refused(bench: DeliveryBench) -> None:
    def too_large(_channel: str, sent: Message) -> None:
        if sent.attachments:
            raise DeliveryError("413 too large", permanent=False)

    bench.notifier.answer = too_large
    bench.put("mail", "one", attachments=("a.jpg",))
    for _ in range(4):
        bench.delivery.drain()
        bench.clock.advance(900)
    ((_, taken),) = bench.notifier.taken
    assert taken.body == "Look at it.\n\nThe pictures could not be sent along: see the dashboard."
    assert taken.idempotency_key == "key of one"
    assert bench.outbox.rows[0].attempts == 4


def test_what_was_taken_but_could_not_be_marked_is_not_sent_again(bench: DeliveryBench) -> None:
    def fill_the_disk(_channel: str, _message: Message) -> None:
        bench.outbox.away = True

    bench.notifier.answer = fill_the_disk
    bench.put("mail", "one", "two")
    for _ in range(3):
        with pytest.raises(OSError, match="disk full"):
            bench.delivery.drain()
    assert bench.titles() == [("mail", "one")]
    bench.outbox.away = False
    bench.notifier.answer = refusing()
    assert bench.delivery.drain() == 1
    assert bench.titles() == [("mail", "one"), ("mail", "two")]
    assert [row.ended for row in bench.outbox.rows] == ["delivered", "delivered"]


def test_the_thread_delivers_beats_and_stops(
    bench: DeliveryBench, eventually: Callable[..., None]
) -> None:
    bench.put("mail", "one")
    bench.delivery.start()
    eventually(lambda: bench.titles() == [("mail", "one")])
    bench.put("mail", "two")
    bench.delivery.wake()
    eventually(lambda: len(bench.titles()) == 2)
    assert bench.beats >= 2
    assert bench.delivery.running
    assert bench.delivery.stop()
    assert not bench.delivery.running


def test_the_thread_survives_an_outbox_that_is_away_and_says_so_once(
    clock: FakeClock, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    bench = DeliveryBench(clock, retry_s=0.5)
    bench.outbox.away = True
    bench.put("mail", "one")
    bench.delivery.start()
    eventually(lambda: "outbox cannot be drained" in caplog.text)
    beats = bench.beats
    eventually(lambda: bench.beats >= beats + 4, within_s=30)
    assert [record.getMessage() for record in caplog.records] == ["outbox cannot be drained"]
    bench.outbox.away = False
    eventually(lambda: bench.titles() == [("mail", "one")])
    assert bench.delivery.running
    assert bench.delivery.stop()


def test_stopping_waits_no_longer_than_asked_for_a_receiver_that_hangs(
    bench: DeliveryBench, eventually: Callable[..., None]
) -> None:
    hanging, hung = threading.Event(), threading.Event()

    def hang(_channel: str, _message: Message) -> None:
        hung.set()
        hanging.wait(10)

    bench.notifier.answer = hang
    bench.put("mail", "one", "two")
    bench.delivery.start()
    assert hung.wait(10)
    assert not bench.delivery.stop(within_s=0.01)
    hanging.set()
    eventually(lambda: not bench.delivery.running)
    assert bench.titles() == [("mail", "one")], "the current message ends, no other begins"


def test_waking_before_the_due_time_sends_nothing(bench: DeliveryBench) -> None:
    bench.put("mail", "one")
    bench.outbox.rows[0].next_try_at = bench.clock.now() + timedelta(seconds=1)
    assert bench.delivery.drain() == 0
    assert bench.notifier.tried == []
