import threading

import pytest

from scopewatch.core.errors import DeliveryError
from scopewatch.notify.attempts import Attempts


class Receiver:
    """A receiver that takes messages once it is released; `taken` holds them."""

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.begun = 0
        self.taken: list[str] = []
        self.error: Exception | None = None

    def take(self, what: str) -> None:
        self.begun += 1
        assert self.answering.wait(10)
        if self.error is not None:
            raise self.error
        self.taken.append(what)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def test_an_attempt_returns_when_the_receiver_took_it(receiver: Receiver) -> None:
    receiver.answering.set()
    Attempts(within_s=10).make("mail", "1", lambda: receiver.take("one"))
    assert receiver.taken == ["one"]


def test_what_the_receiver_says_is_raised(receiver: Receiver) -> None:
    receiver.answering.set()
    receiver.error = DeliveryError("no", permanent=True)
    with pytest.raises(DeliveryError, match="no"):
        Attempts(within_s=10).make("mail", "1", lambda: receiver.take("one"))


def test_a_receiver_that_hangs_is_left_and_holds_one_message(receiver: Receiver) -> None:
    attempts = Attempts(within_s=0.02)
    with pytest.raises(DeliveryError, match=r"has not answered: channel mail .*in 0.02 s"):
        attempts.make("mail", "1", lambda: receiver.take("one"))
    with pytest.raises(DeliveryError, match="has not answered to an earlier message yet"):
        attempts.make("mail", "2", lambda: receiver.take("two"))
    assert receiver.begun == 1
    receiver.answering.set()


def test_a_waiting_caller_sends_heartbeats(receiver: Receiver) -> None:
    beats: list[str] = []
    attempts = Attempts(within_s=0.05, progress=lambda: beats.append("alive"), beat_s=0.01)
    with pytest.raises(DeliveryError, match=r"in 0.05 s"):
        attempts.make("mail", "1", lambda: receiver.take("one"))
    assert len(beats) == 5
    receiver.answering.set()


def test_other_channels_go_on_meanwhile(receiver: Receiver) -> None:
    attempts = Attempts(within_s=0.02)
    with pytest.raises(DeliveryError):
        attempts.make("mail", "1", lambda: receiver.take("one"))
    done: list[str] = []
    attempts.make("chat", "1", lambda: done.append("one"))
    assert done == ["one"]
    receiver.answering.set()


def test_a_message_that_was_taken_after_its_timeout_is_not_sent_again(receiver: Receiver) -> None:
    attempts = Attempts(within_s=0.02)
    with pytest.raises(DeliveryError):
        attempts.make("mail", "1", lambda: receiver.take("one"))
    receiver.answering.set()
    patient = Attempts(within_s=10)
    patient._under_way = attempts._under_way
    patient._changed = attempts._changed
    patient.make("mail", "1", lambda: receiver.take("one"))
    assert receiver.taken == ["one"]


def test_leaving_ends_the_wait(receiver: Receiver) -> None:
    attempts = Attempts(within_s=60)
    threading.Timer(0.05, attempts.leave).start()
    with pytest.raises(DeliveryError, match="the end of scopewatch"):
        attempts.make("mail", "1", lambda: receiver.take("one"))
    receiver.answering.set()
