"""Receivers of alerts on the loopback, and a lab whose wells turn weak."""

import json
import random
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.alerts.rules import Severity
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.messages.message import Message
from scopewatch.notify.apprise_channels import WHOLE_S, AppriseNotifier
from scopewatch.notify.delivery import Delivery
from scopewatch.store.files.overlays import OverlayFolder
from tests.conftest import FakeClock
from tests.unit.store.scene import frame_of, judged, key, read_rows

GRID = TileGrid(height=256, width=256, tile_px=32)


@dataclass
class Mailbox:
    """A mailbox that takes mail while its server runs; `answer` is its reply to each mail."""

    answer: str = "250 OK"
    attempts: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.attempts += 1
        if not self.answer.startswith("250"):
            return self.answer
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=modern)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return self.answer


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class MailServer:
    """Run a mailbox's server within a `with` block."""

    def __init__(self, box: Mailbox, port: int) -> None:
        self._controller = Controller(box, hostname="127.0.0.1", port=port)

    def __enter__(self) -> None:
        self._controller.start()

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def mail_url(port: int) -> str:
    return (
        f"mailto://127.0.0.1:{port}?from=scope@example.org&to=biologist@example.org&mode=insecure"
    )


@dataclass
class Hook:
    """A webhook; it answers `status` once `answering` is set; `posts` holds what it received."""

    status: int = 200
    answering: threading.Event = field(default_factory=threading.Event)
    attempts: int = 0
    posts: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.answering.set()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.attempts += 1
        if self.status == 200:
            # A heartbeat is plain text, and empty while all is well.
            payload = json.loads(body) if "json" in headers.get("Content-Type", "") else {}
            self.posts.append((headers, payload))
        return self.status


class HookServer(ThreadingHTTPServer):
    """The server of one hook."""

    def __init__(self, hook: Hook, port: int = 0) -> None:
        self.hook = hook
        super().__init__(("127.0.0.1", port), HookHandler)
        hook.port = self.server_address[1]


class HookHandler(BaseHTTPRequestHandler):
    """Pass each request to the hook."""

    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.hook.take(dict(self.headers), body)
        self.server.hook.answering.wait(30)
        # The client may have closed the connection.
        with suppress(OSError):
            self.send_response(status)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: the test's output is not a server log."""


class Serving:
    """Run a hook's server within a `with` block."""

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
    """An outbox, messages with an overlay on the disk, and their delivery."""

    store: Store
    folder: Path
    clock: FakeClock
    channels: tuple[str, ...]

    @property
    def overlays(self) -> Path:
        return self.folder / "overlays"

    def raise_alert(self, well: str = "A1") -> bytes:
        """Queue a message for every channel; return the picture that belongs to it."""
        drawer = OverlayFolder(
            self.overlays,
            options=OverlayConfig(stain_tiff=False),
            policy=policy_of(RunConfig(name="run 7")),
            threshold=0.5,
        )
        frame = key(well, 1)
        files = drawer.write(frame_of(frame), judged(frame, 0.1, grid=GRID), 0.5)
        message = Message(
            idempotency_key=f"key of {well}",
            severity=Severity.WARNING,
            title=f"{well}: weak differentiation",
            body=f"run 7 / p1 / {well} reads 7% on day 0.5.",
            html=f"<p>run 7 / p1 / <b>{well}</b> reads 7% on day 0.5.</p>",
            attachments=(files.overlay,),
        )
        assert self.store.announce(message, self.channels) == len(self.channels)
        return (self.overlays / files.overlay).read_bytes()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return read_rows(self.folder, query)

    def delivery(self, *, whole_s: float = WHOLE_S, **channels: str) -> Delivery:
        urls = {name: SecretStr(url) for name, url in channels.items()}
        return Delivery(
            self.store,
            AppriseNotifier(urls, self.overlays, whole_s=whole_s),
            clock=self.clock,
            retry_s=60,
            rng=random.Random(1),
        )
