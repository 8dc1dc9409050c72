"""Alerts reach real receivers: an SMTP server and an HTTP server on the loopback."""

import base64
import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from scopewatch.core.phrases import Language
from scopewatch.messages.message import Style
from scopewatch.notify.announcement import announce_test, write_test
from scopewatch.notify.apprise_channels import AppriseNotifier
from scopewatch.store.read.reader import Reader
from tests.integration.receivers import (
    Hook,
    Lab,
    Mailbox,
    MailServer,
    Serving,
    free_port,
    mail_url,
)
from tests.unit.store.scene import open_store


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    with MailServer(box, port):
        yield box, port


@pytest.mark.parametrize("lab", [("mail",)], indirect=True)
def test_an_alert_arrives_by_mail_with_its_overlay_attached(
    lab: Lab, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    picture = lab.raise_alert()
    assert lab.delivery(mail=mail_url(port)).drain() == 1
    (mail,) = box.mails
    (item,) = lab.rows("SELECT idempotency_key FROM outbox")
    assert mail["Subject"] == "A1: weak differentiation"
    assert mail["To"] == "biologist@example.org"
    assert mail["Idempotency-Key"] == item[0]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "run 7 / p1 / A1 reads 7% on day 0.5." in plain.get_content()
    assert "<b>A1</b> reads 7%" in html.get_content()
    for words in (plain, html):
        assert f"Reference: {item[0]}" in words.get_content()
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "p1_t0001_s0.jpg"
    assert attached.get_content() == picture


def test_an_alert_arrives_at_a_webhook_with_its_overlay_attached(lab: Lab) -> None:
    hook = Hook()
    picture = lab.raise_alert()
    with Serving(hook):
        assert lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts").drain() == 1
    ((headers, post),) = hook.posts
    assert post["title"] == "A1: weak differentiation"
    assert post["type"] == "warning"
    (attached,) = post["attachments"]
    assert attached["filename"] == "p1_t0001_s0.jpg"
    assert base64.b64decode(attached["base64"]) == picture
    assert headers["Idempotency-Key"] in post["message"]


def test_a_receiver_that_was_down_gets_every_alert_in_order_once_it_is_up(lab: Lab) -> None:
    hook = Hook()
    with Serving(hook):
        pass
    delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
    for well in ("A1", "B2", "C3"):
        lab.raise_alert(well)
    for _ in range(5):
        assert delivery.drain() == 0
        lab.clock.advance(900)
    with Serving(hook):
        assert delivery.drain() == 3
        assert delivery.drain() == 0
    assert [post["title"][:2] for _, post in hook.posts] == ["A1", "B2", "C3"]
    assert len({headers["Idempotency-Key"] for headers, _ in hook.posts}) == 3


def test_a_receiver_that_answers_500_is_asked_again_and_the_reason_is_kept(lab: Lab) -> None:
    hook = Hook(status=500)
    lab.raise_alert()
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        assert delivery.drain() == 0
        reader = Reader.open(lab.folder)
        (channel,) = reader.channels(delivered=True)
        reader.close()
        assert (channel.waiting, channel.delivered) == (1, 0)
        assert "error=500" in str(channel.last_error)
        assert delivery.drain() == 0
        assert hook.attempts == 1, "it is not asked again before its delay is over"
        hook.status = 200
        lab.clock.advance(60)
        assert delivery.drain() == 1
    assert len(hook.posts) == 1


def test_a_receiver_that_hangs_is_left_after_its_time(lab: Lab) -> None:
    lab.raise_alert()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        delivery = lab.delivery(hook=f"json://127.0.0.1:{port}/alerts?rto=0.3")
        started_s = time.monotonic()
        assert delivery.drain() == 0
        assert 0.3 <= time.monotonic() - started_s < 10
    assert lab.rows("SELECT attempts, done_at FROM outbox") == [(1, None)]


@pytest.mark.parametrize("lab", [("dead", "hook")], indirect=True)
def test_a_dead_channel_does_not_hold_up_a_live_one(lab: Lab) -> None:
    hook = Hook()
    lab.raise_alert("A1")
    lab.raise_alert("B2")
    with Serving(hook):
        delivery = lab.delivery(
            dead="json://127.0.0.1:9/alerts", hook=f"json://127.0.0.1:{hook.port}/alerts"
        )
        assert delivery.drain() == 2
    assert [post["title"][:2] for _, post in hook.posts] == ["A1", "B2"]


def test_an_alert_whose_picture_is_gone_still_arrives(lab: Lab) -> None:
    hook = Hook()
    lab.raise_alert()
    for picture in lab.overlays.rglob("*.jpg"):
        picture.unlink()
    with Serving(hook):
        assert lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts").drain() == 1
    assert hook.posts[0][1]["attachments"] == []


def test_nothing_outside_the_overlay_folder_is_ever_attached(lab: Lab) -> None:
    hook = Hook()
    lab.raise_alert()
    (lab.overlays.parent / "secret.txt").write_text("secret")
    lab.store.close()
    _rewrite_attachments(lab.folder, ["../secret.txt", "/etc/hostname"])
    with Serving(hook):
        assert lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts").drain() == 1
    assert hook.posts[0][1]["attachments"] == []


def test_the_thread_delivers_what_a_restart_found_in_the_outbox(
    lab: Lab, eventually: Callable[..., None]
) -> None:
    hook = Hook()
    lab.raise_alert()
    lab.store.close()
    lab.store = open_store(lab.folder, lab.clock)
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        delivery.start()
        eventually(lambda: len(hook.posts) == 1)
        assert delivery.stop()
    lab.store.close()


def test_a_test_message_shows_which_channel_works(lab: Lab) -> None:
    hook = Hook()
    messages = write_test("run 7", lab.clock.now(), style=Style(), overlay=None, digest=True)
    with Serving(hook):
        urls = {
            "hook": SecretStr(f"json://127.0.0.1:{hook.port}/alerts"),
            "dead": SecretStr("json://127.0.0.1:9/alerts"),
        }
        outcome = announce_test(AppriseNotifier(urls, lab.overlays), urls, messages)
    assert outcome["hook"] is None
    assert "alert was not taken: channel dead" in str(outcome["dead"])
    alert, digest = (post for _, post in hook.posts)
    assert alert["title"] == "TEST: B3: likely to end weak, 34% expected on day 10"
    assert [each["filename"] for each in alert["attachments"]] == ["trend-run-7-P1-B3.png"]
    assert [each["filename"] for each in digest["attachments"]] == ["plate-run-7-P1.png"]


@pytest.mark.parametrize("lab", [("mail",)], indirect=True)
def test_a_figure_arrives_by_mail_as_a_picture_in_japanese_too(
    lab: Lab, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    style = Style(language=Language.JAPANESE, simulated=True)
    (message,) = write_test("run 7", lab.clock.now(), style=style, overlay=None, digest=False)
    assert lab.store.announce(message, lab.channels) == 1
    assert lab.delivery(mail=mail_url(port)).drain() == 1
    (mail,) = box.mails
    assert mail["Subject"] == "【テスト】[SIMULATED] B3:分化不良の見込み(10日目の予測 34%)"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "10日目の分化効率の予測は 34%" in plain.get_content()
    (attached,) = mail.iter_attachments()
    assert attached.get_content().startswith(b"\x89PNG")


def test_a_message_of_one_key_is_queued_once_per_channel_over_restarts(lab: Lab) -> None:
    (message,) = write_test("run 7", lab.clock.now(), style=Style(), overlay=None, digest=False)
    assert lab.store.announce(message, ("mail", "chat")) == 2
    lab.store.close()
    lab.store = open_store(lab.folder, lab.clock)
    assert lab.store.announce(message, ("mail", "chat", "new")) == 1
    assert lab.rows("SELECT channel FROM outbox ORDER BY id") == [("mail",), ("chat",), ("new",)]


def _rewrite_attachments(folder: Path, attachments: list[str]) -> None:
    connection = sqlite3.connect(folder / "scopewatch.db")
    with connection:
        ((row, message),) = connection.execute("SELECT id, message FROM outbox").fetchall()
        changed = json.loads(message) | {"attachments": attachments}
        connection.execute("UPDATE outbox SET message = ? WHERE id = ?", (json.dumps(changed), row))
    connection.close()
