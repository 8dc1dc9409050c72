import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest

from scopewatch.core.errors import DeliveryError
from scopewatch.messages.alert_message import Message
from scopewatch.notify.breaker import BreakerRule, Circuit
from scopewatch.notify.delivery import Delivery
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from tests.conftest import FakeClock
from tests.unit.notify.fakes import FakeNotifier, FakeOutbox, message

RETRY_S = 60.0


class Desk:
    """A delivery whose clock, outbox and notifier the test controls."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.outbox = FakeOutbox()
        self.notifier = FakeNotifier()
        self.beats = 0
        self.delivery = Delivery(
            self.outbox,
            self.notifier,
            clock=clock,
            retry_s=RETRY_S,
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
def desk(clock: FakeClock) -> Desk:
    return Desk(clock)


def test_messages_leave_in_order_and_once(desk: Desk) -> None:
    desk.put("mail", "one", "two")
    assert desk.delivery.drain() == 2
    assert desk.titles() == [("mail", "one"), ("mail", "two")]
    assert desk.delivery.drain() == 0
    assert desk.beats == 4, "before and after each"


def test_receivers_that_hang_beside_a_slow_outbox_are_no_stall(desk: Desk) -> None:
    heartbeats = Heartbeats(desk.clock, stall_s=50)
    silent: list[dict[str, float]] = []

    def take_time(seconds: float) -> None:
        desk.clock.advance(seconds)
        silent.append(heartbeats.stalled())

    class SlowOutbox(FakeOutbox):
        def postponed(self, row: int, until: datetime, why: str) -> None:
            take_time(30)
            super().postponed(row, until, why)

    def hang(channel: str, _message: Message) -> None:
        take_time(45)
        raise DeliveryError(f"{channel} has not answered", permanent=False)

    desk.outbox = SlowOutbox()
    desk.notifier.answer = hang
    desk.put("mail", "one")
    desk.put("chat", "one")
    Delivery(
        desk.outbox,
        desk.notifier,
        clock=desk.clock,
        retry_s=RETRY_S,
        rng=random.Random(1),
        progress=partial(heartbeats.beat, "delivery"),
    ).drain()
    assert silent == [{}] * 4
    desk.clock.advance(51)
    assert heartbeats.stalled() == {"delivery": 51 + 30}, "the test can detect a stall"


def test_how_each_receiver_answers_is_reported_without_secrets(desk: Desk) -> None:
    delivery = Delivery(
        desk.outbox,
        desk.notifier,
        clock=desk.clock,
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

    desk.notifier.answer = refuse
    desk.put("mail", "one")
    desk.put("chat", "one")
    delivery.drain()
    assert states() == [(Circuit.CLOSED, 1, "*** is shut"), fine]
    assert delivery.receivers()[0].text == "1 failure in a row, tried again: *** is shut"
    assert delivery.troubles() == []
    desk.clock.advance(RETRY_S)
    delivery.drain()
    assert states() == [(Circuit.OPEN, 2, "*** is shut"), fine]
    until = delivery.receivers()[0].open_until
    assert until is not None
    assert (
        desk.clock.now() + timedelta(minutes=30) <= until <= desk.clock.now() + timedelta(hours=1)
    )
    assert delivery.troubles() == ["alert channel mail has failed 2 times in a row"]
    desk.clock.advance(3600)
    assert states() == [(Circuit.HALF_OPEN, 2, "*** is shut"), fine]
    assert delivery.receivers()[0].text.startswith("is tried once more after 2 failures in a row")
    assert delivery.troubles() == ["alert channel mail has failed 2 times in a row"]
    desk.notifier.answer = refusing()
    delivery.drain()
    assert states() == [fine, fine]
    assert delivery.troubles() == []


def test_a_channel_that_fails_delays_only_its_own_messages(desk: Desk) -> None:
    desk.notifier.answer = refusing("mail")
    desk.put("mail", "one", "two")
    desk.put("chat", "one", "two")
    assert desk.delivery.drain() == 2
    assert desk.notifier.tried == [("mail", "one"), ("chat", "one"), ("chat", "two")]
    desk.notifier.answer = refusing()
    desk.clock.advance(RETRY_S)
    desk.delivery.drain()
    assert desk.titles()[2:] == [("mail", "one"), ("mail", "two")]


def test_the_delay_doubles_with_jitter_up_to_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.notifier.answer = refusing("mail")
    desk.put("mail", "one")
    delays = []
    for _ in range(12):
        desk.delivery.drain()
        delays.append((desk.outbox.rows[0].next_try_at - desk.clock.now()).total_seconds())
        desk.clock.advance(delays[-1])
    longest = [min(RETRY_S * 2**attempt, 900) for attempt in range(12)]
    assert all(most / 2 <= delay <= most for delay, most in zip(delays, longest, strict=True))
    assert len(set(delays)) == len(delays)
    assert len(desk.notifier.tried) == 12


def test_a_receiver_that_is_unavailable_for_weeks_gets_its_message_once_it_is_back(
    desk: Desk,
) -> None:
    desk.notifier.answer = refusing("mail")
    desk.put("mail", "one")
    desk.outbox.rows[0].attempts = 5000
    desk.delivery.drain()
    desk.notifier.answer = refusing()
    desk.clock.advance(900)
    assert desk.delivery.drain() == 1


@pytest.mark.parametrize("failures", [1, 2], ids=["put off", "at rest"])
def test_a_clock_that_is_set_back_puts_no_message_off_for_longer(
    clock: FakeClock, failures: int
) -> None:
    desk = Desk(clock)
    delivery = Delivery(
        desk.outbox,
        desk.notifier,
        clock=clock,
        retry_s=RETRY_S,
        rng=random.Random(1),
        breaker=BreakerRule(after=2, rest_s=3600),
    )
    desk.notifier.answer = refusing("mail")
    desk.put("mail", "one")
    for _ in range(failures):
        delivery.drain()
        clock.advance(RETRY_S)
    desk.put("mail", "two")
    desk.notifier.answer = refusing()
    if failures == 2:
        assert delivery.drain() == 0, "the channel rests"
    clock.set_by(-7200)
    assert delivery.drain() == 2
    assert desk.titles() == [("mail", "one"), ("mail", "two")]


def test_a_message_that_is_refused_for_good_does_not_block_the_next(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.notifier.answer = refusing("mail", permanent=True)
    desk.put("mail", "one", "two")
    with caplog.at_level(logging.ERROR):
        desk.delivery.drain()
    assert [row.ended for row in desk.outbox.rows] == ["abandoned", "abandoned"]
    assert desk.outbox.rows[0].why == "receiver says no"
    assert [record.message for record in caplog.records] == ["alert given up"] * 2


def test_the_text_is_sent_alone_where_the_picture_is_refused(desk: Desk) -> None:
    def too_large(_channel: str, sent: Message) -> None:
        if sent.attachments:
            raise DeliveryError("413 too large", permanent=False)

    desk.notifier.answer = too_large
    desk.put("mail", "one", attachments=("a.jpg",))
    for _ in range(4):
        desk.delivery.drain()
        desk.clock.advance(900)
    ((_, taken),) = desk.notifier.taken
    assert taken.body == "Look at it.\n\nThe pictures could not be sent along: see the dashboard."
    assert taken.idempotency_key == "key of one"
    assert desk.outbox.rows[0].attempts == 4


def test_what_was_taken_but_could_not_be_marked_is_not_sent_again(desk: Desk) -> None:
    def fill_the_disk(_channel: str, _message: Message) -> None:
        desk.outbox.away = True

    desk.notifier.answer = fill_the_disk
    desk.put("mail", "one", "two")
    for _ in range(3):
        with pytest.raises(OSError, match="disk full"):
            desk.delivery.drain()
    assert desk.titles() == [("mail", "one")]
    desk.outbox.away = False
    desk.notifier.answer = refusing()
    assert desk.delivery.drain() == 1
    assert desk.titles() == [("mail", "one"), ("mail", "two")]
    assert [row.ended for row in desk.outbox.rows] == ["delivered", "delivered"]


def test_the_thread_delivers_beats_and_stops(desk: Desk, eventually: Callable[..., None]) -> None:
    desk.put("mail", "one")
    desk.delivery.start()
    eventually(lambda: desk.titles() == [("mail", "one")])
    desk.put("mail", "two")
    desk.delivery.wake()
    eventually(lambda: len(desk.titles()) == 2)
    assert desk.beats >= 2
    assert desk.delivery.running
    assert desk.delivery.stop()
    assert not desk.delivery.running


def test_the_thread_survives_an_outbox_that_is_away(
    desk: Desk, eventually: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    desk.outbox.away = True
    desk.put("mail", "one")
    desk.delivery.start()
    eventually(lambda: "outbox cannot be drained" in caplog.text)
    desk.outbox.away = False
    eventually(lambda: desk.beats >= 2)
    assert desk.delivery.running
    assert desk.delivery.stop()


def test_stopping_waits_no_longer_than_asked_for_a_receiver_that_hangs(
    desk: Desk, eventually: Callable[..., None]
) -> None:
    hanging, hung = threading.Event(), threading.Event()

    def hang(_channel: str, _message: Message) -> None:
        hung.set()
        hanging.wait(10)

    desk.notifier.answer = hang
    desk.put("mail", "one", "two")
    desk.delivery.start()
    assert hung.wait(10)
    assert not desk.delivery.stop(within_s=0.01)
    hanging.set()
    eventually(lambda: not desk.delivery.running)
    assert desk.titles() == [("mail", "one")], "the current message ends, no other begins"


def test_waking_before_the_due_time_sends_nothing(desk: Desk) -> None:
    desk.put("mail", "one")
    desk.outbox.rows[0].next_try_at = desk.clock.now() + timedelta(seconds=1)
    assert desk.delivery.drain() == 0
    assert desk.notifier.tried == []
