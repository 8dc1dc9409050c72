from scopewatch.core.errors import DeliveryError
from scopewatch.core.message import Message
from scopewatch.notify.announcement import announce_test
from tests.conftest import FakeClock
from tests.unit.notify.fakes import FakeNotifier


def test_each_channel_gets_a_test_message_and_tells_how_it_went(clock: FakeClock) -> None:
    def answer(channel: str, _message: Message) -> None:
        if channel == "chat":
            raise DeliveryError("receiver says no", permanent=False)

    notifier = FakeNotifier(answer=answer)
    outcome = announce_test(notifier, ["mail", "chat"], experiment="run 7", now=clock.now())
    assert outcome == {"mail": None, "chat": "receiver says no"}
    ((channel, sent),) = notifier.taken
    assert channel == "mail"
    assert sent.title == "scopewatch: test message"
    assert "This is a test of the alerts for run 7." in sent.body


def test_two_tests_are_two_messages(clock: FakeClock) -> None:
    notifier = FakeNotifier()
    announce_test(notifier, ["mail"], experiment="run 7", now=clock.now())
    clock.advance(1)
    announce_test(notifier, ["mail"], experiment="run 7", now=clock.now())
    assert len({sent.idempotency_key for _, sent in notifier.taken}) == 2
