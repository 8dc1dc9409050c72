"""Alerts reach real receivers: an SMTP server and an HTTP server on the loopback."""

import base64
import json
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from scopewatch.config import ExperimentConfig, OverlayConfig
from scopewatch.core.alert import Severity
from scopewatch.core.tiling import TileGrid
from scopewatch.notify.announcement import announce_test
from scopewatch.notify.apprise_channels import AppriseNotifier
from scopewatch.notify.delivery import Delivery
from scopewatch.store.overlays import OverlayFolder
from scopewatch.store.queries import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, frame_of, judged, key, open_store, ticket

GRID = TileGrid(height=256, width=256, tile_px=32)


@dataclass
class Mailbox:
    """Takes mail as long as its server runs."""

    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=modern)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    # The controller asks for its port beforehand, so a free one is looked for here.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@dataclass
class Hook:
    """A webhook; `status` is what it answers, `posts` what it took."""

    status: int = 200
    attempts: int = 0
    posts: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.attempts += 1
        if self.status == 200:
            self.posts.append((headers, json.loads(body)))
        return self.status


class HookServer(ThreadingHTTPServer):
    """The server of one hook."""

    def __init__(self, hook: Hook, port: int = 0) -> None:
        self.hook = hook
        super().__init__(("127.0.0.1", port), HookHandler)
        hook.port = self.server_address[1]


class HookHandler(BaseHTTPRequestHandler):
    """Hands what is posted to the hook."""

    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.hook.take(dict(self.headers), body))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the test's output is not a server log."""


class Serving:
    """Runs a hook's server within a `with` block."""

    def __init__(self, hook: Hook) -> None:
        self._server = HookServer(hook, hook.port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Lab:
    """A store with one raised alert whose overlay is on the disk, and its delivery."""

    scene: Scene
    clock: FakeClock
    overlays: Path

    def raise_alert(self, well: str = "A1") -> bytes:
        """Let a well go weak; return the picture that belongs to the alert."""
        drawer = OverlayFolder(
            self.overlays,
            options=OverlayConfig(stain_tiff=False),
            experiment=ExperimentConfig(name="run 7"),
            threshold=0.5,
        )
        for time_point in range(2):
            frame = key(well, time_point)
            files = drawer.write(frame_of(frame), judged(frame, 0.1, grid=GRID), 0.5)
            offered = ticket(frame)
            self.scene.store.claim(offered, self.scene.rules)
            self.scene.store.commit(
                offered, frame_of(frame), judged(frame, 0.1), files, 0.5, self.scene.rules
            )
        return (self.overlays / files.overlay).read_bytes()

    def delivery(self, **channels: str) -> Delivery:
        urls = {name: SecretStr(url) for name, url in channels.items()}
        return Delivery(
            self.scene.store,
            AppriseNotifier(urls, self.overlays),
            clock=self.clock,
            retry_s=60,
            rng=random.Random(1),
        )


@pytest.fixture
def lab(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Lab]:
    channels = dict.fromkeys(getattr(request, "param", ("hook",)), Severity.INFO)
    store = open_store(tmp_path, clock, channels=channels)
    scene = Scene(store=store, folder=tmp_path)
    yield Lab(scene=scene, clock=clock, overlays=tmp_path / "overlays")
    store.close()


@pytest.mark.parametrize("lab", [("mail",)], indirect=True)
def test_an_alert_arrives_by_mail_with_its_overlay_attached(
    lab: Lab, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    picture = lab.raise_alert()
    url = f"mailto://127.0.0.1:{port}?from=scope@example.org&to=biologist@example.org&mode=insecure"
    assert lab.delivery(mail=url).drain() == 1
    (mail,) = box.mails
    (item,) = lab.scene.rows("SELECT idempotency_key FROM outbox")
    assert mail["Subject"] == "A1: weak differentiation, 7% on day 0.5"
    assert mail["To"] == "biologist@example.org"
    assert mail["Idempotency-Key"] == item[0]
    words = mail.get_body(("plain", "html"))
    assert words is not None
    text = words.get_content()
    assert "run 7 / p1 / A1 reads 7% on day 0.5, below its target of 50%" in text
    assert f"Reference: {item[0]}" in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "p1_t0001_s0.jpg"
    assert attached.get_content() == picture


def test_an_alert_arrives_at_a_webhook_with_its_overlay_attached(lab: Lab) -> None:
    hook = Hook()
    picture = lab.raise_alert()
    with Serving(hook):
        assert lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts").drain() == 1
    ((headers, post),) = hook.posts
    assert post["title"] == "A1: weak differentiation, 7% on day 0.5"
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
        reader = Reader.open(lab.scene.folder)
        (channel,) = reader.channels()
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
    assert lab.scene.rows("SELECT attempts, done_at FROM outbox") == [(1, None)]


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
    lab.scene.store.close()
    _rewrite_attachments(lab.scene.folder, ["../secret.txt", "/etc/hostname"])
    with Serving(hook):
        assert lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts").drain() == 1
    assert hook.posts[0][1]["attachments"] == []


def test_the_thread_delivers_what_a_restart_found_in_the_outbox(
    lab: Lab, eventually: Callable[..., None]
) -> None:
    hook = Hook()
    lab.raise_alert()
    lab.scene.store.close()
    lab.scene.store = open_store(lab.scene.folder, lab.clock, channels={})
    with Serving(hook):
        delivery = lab.delivery(hook=f"json://127.0.0.1:{hook.port}/alerts")
        delivery.start()
        eventually(lambda: len(hook.posts) == 1)
        assert delivery.stop()
    lab.scene.store.close()


def test_a_test_message_tells_which_channel_works(lab: Lab) -> None:
    hook = Hook()
    with Serving(hook):
        urls = {
            "hook": SecretStr(f"json://127.0.0.1:{hook.port}/alerts"),
            "dead": SecretStr("json://127.0.0.1:9/alerts"),
        }
        outcome = announce_test(
            AppriseNotifier(urls, lab.overlays), urls, experiment="run 7", now=lab.clock.now()
        )
    assert outcome["hook"] is None
    assert "alert was not taken: channel dead" in str(outcome["dead"])
    assert hook.posts[0][1]["title"] == "scopewatch: test message"


def _rewrite_attachments(folder: Path, attachments: list[str]) -> None:
    connection = sqlite3.connect(folder / "scopewatch.db")
    with connection:
        ((row, message),) = connection.execute("SELECT id, message FROM outbox").fetchall()
        changed = json.loads(message) | {"attachments": attachments}
        connection.execute("UPDATE outbox SET message = ? WHERE id = ?", (json.dumps(changed), row))
    connection.close()
