"""A receiver that is down for a day, answers 500, hangs or is slow: every alert still arrives."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from apprise.plugins.email import NotifyEmail

from scopewatch.notify.delivery import Delivery
from tests.integration.receivers import (
    Hook,
    Lab,
    Mailbox,
    MailServer,
    Serving,
    free_port,
    mail_url,
)

DAY_S = 86_400
# Wells that turn weak while the receiver is down, and the interval between them.
WELLS = tuple(f"{letter}{column}" for letter in "ABC" for column in range(1, 5))
APART_S = DAY_S // len(WELLS)
STEP_S = 300
LONGEST_REST_S = 900


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the seconds that Apprise sleeps between two mails: the day here is on a fake clock."""
    monkeypatch.setattr(NotifyEmail, "request_rate_per_sec", 0)


def live_through_a_day(lab: Lab, delivery: Delivery) -> int:
    """Let a well turn weak every two hours and deliver meanwhile; return the messages sent."""
    gone = 0
    for well in WELLS:
        lab.raise_alert(well)
        gone += deliver_for(lab, delivery, APART_S)
    return gone


def deliver_for(lab: Lab, delivery: Delivery, seconds: int = LONGEST_REST_S + STEP_S) -> int:
    gone = 0
    for _ in range(seconds // STEP_S):
        gone += delivery.drain()
        lab.clock.advance(STEP_S)
    return gone


def wells_of(hook: Hook) -> tuple[str, ...]:
    return tuple(next(well for well in WELLS if well in post["title"]) for _, post in hook.posts)


def keys_of(hook: Hook) -> list[str]:
    return [headers["Idempotency-Key"] for headers, _ in hook.posts]


def test_a_webhook_that_is_down_for_a_day_gets_every_alert_in_order_and_once(lab: Lab) -> None:
    hook = Hook(port=free_port())
    delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
    assert live_through_a_day(lab, delivery) == 0
    with Serving(hook):
        assert deliver_for(lab, delivery) == len(WELLS)
    assert wells_of(hook) == WELLS
    assert len(set(keys_of(hook))) == len(WELLS)


def test_a_webhook_that_answers_500_for_a_day_is_not_asked_all_the_time(lab: Lab) -> None:
    hook = Hook(status=500)
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        assert live_through_a_day(lab, delivery) == 0
        # With an open circuit: one probe each 7.5 to 15 minutes, with the oldest message only.
        assert DAY_S / (900 + STEP_S) < hook.attempts < DAY_S / 450 + 5
        hook.status = 200
        assert deliver_for(lab, delivery) == len(WELLS)
    assert wells_of(hook) == WELLS
    assert len(set(keys_of(hook))) == len(WELLS)


def test_a_webhook_that_hangs_for_a_day_gets_every_alert_in_order_and_once(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as taken:
        port = silent.getsockname()[1]
        delivery = lab.delivery(whole_s=0.02, hook=f"json://127.0.0.1:{port}/alerts?rto=0.1")
        assert live_through_a_day(lab, delivery) == 0
        silent.setblocking(False)
        # Each attempt timed out and closed its connection: a restarted receiver gets none.
        while True:
            try:
                taken.enter_context(silent.accept()[0])
            except BlockingIOError:
                break
    hook = Hook(port=port)
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{port}/alerts")
        assert deliver_for(lab, delivery) == len(WELLS)
    assert wells_of(hook) == WELLS
    assert len(set(keys_of(hook))) == len(WELLS)


def test_a_slow_receiver_gets_a_message_once_though_it_was_left_in_between(
    lab: Lab, eventually: Callable[..., None]
) -> None:
    hook = Hook()
    hook.answering.clear()
    lab.raise_alert("A1")
    lab.raise_alert("A2")
    with Serving(hook):
        delivery = lab.delivery(whole_s=0.1, hook=f"json://127.0.0.1:{hook.port}/alerts")
        for _ in range(3):
            assert delivery.drain() == 0, "it has taken the message but not answered yet"
            lab.clock.advance(900)
        assert hook.attempts == 1, "the attempt in progress is waited for again, not repeated"
        hook.answering.set()
        eventually(lambda: not any(t.name == "send to hook" for t in threading.enumerate()))
        assert delivery.drain() == 2
    assert wells_of(hook) == ("A1", "A2")


@pytest.mark.parametrize("lab", [("mail",)], indirect=True)
def test_a_mail_server_that_is_down_for_a_day_gets_every_alert_in_order_and_once(
    lab: Lab,
) -> None:
    box, port = Mailbox(), free_port()
    delivery = lab.delivery(mail=mail_url(port))
    assert live_through_a_day(lab, delivery) == 0
    with MailServer(box, port):
        assert deliver_for(lab, delivery) == len(WELLS)
    for well, mail in zip(WELLS, box.mails, strict=True):
        assert well in mail["Subject"]
    assert len({mail["Idempotency-Key"] for mail in box.mails}) == len(WELLS)


@pytest.mark.parametrize("lab", [("mail",)], indirect=True)
def test_a_mail_server_that_is_too_busy_is_asked_again(lab: Lab) -> None:
    box, port = Mailbox(answer="451 try later"), free_port()
    lab.raise_alert()
    with MailServer(box, port):
        delivery = lab.delivery(mail=mail_url(port))
        assert deliver_for(lab, delivery, 900) == 0
        assert box.attempts >= 2
        box.answer = "250 OK"
        assert deliver_for(lab, delivery) == 1
    assert len(box.mails) == 1


def test_frames_are_committed_while_a_receiver_hangs(
    lab: Lab, eventually: Callable[..., None]
) -> None:
    hook = Hook()
    hook.answering.clear()
    lab.raise_alert("A1")
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        delivery.start()
        eventually(lambda: hook.attempts == 1)
        for well in WELLS[1:]:
            lab.raise_alert(well)
        assert hook.attempts == 1, "all were committed during the one attempt"
        hook.answering.set()
        eventually(lambda: len(hook.posts) == len(WELLS))
        assert delivery.stop()
    assert wells_of(hook) == WELLS


def test_the_end_does_not_wait_for_a_receiver_that_hangs_and_the_message_stays(
    lab: Lab, eventually: Callable[..., None]
) -> None:
    hook = Hook()
    hook.answering.clear()
    lab.raise_alert()
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        delivery.start()
        eventually(lambda: hook.attempts == 1)
        began_s = time.monotonic()
        assert delivery.stop()
        assert time.monotonic() - began_s < 2
        hook.answering.set()
        again = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        assert again.drain() == 1
    first, second = keys_of(hook)
    assert first == second, "sent again after the next start, under the same key"


_EXITING = """
import sys, time
from pathlib import Path
from pydantic import SecretStr
from scopewatch.core.errors import DeliveryError
from scopewatch.notify.apprise_channels import AppriseNotifier
from tests.unit.notify.fakes import message
channels = {"hook": SecretStr(f"json://127.0.0.1:{sys.argv[1]}/alerts")}
try:
    AppriseNotifier(channels, Path(), whole_s=0.2).send("hook", message())
except DeliveryError as error:
    print(error, flush=True)
"""


def test_the_process_ends_at_once_though_a_receiver_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "-c", _EXITING, str(port)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            left_s = time.monotonic()
            process.wait(40)
            assert time.monotonic() - left_s < 5
    assert "the receiver has not answered: channel hook (got no answer in 0.2 s)" in line
    assert process.returncode == 0
