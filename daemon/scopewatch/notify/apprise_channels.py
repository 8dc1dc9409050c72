"""Alert channels through Apprise: mail, Slack, Teams, ntfy, webhooks and a hundred more.

Apprise only returns whether a message was taken; the reason is in its log. This module catches the
reason and reports it without the address, since addresses hold passwords and tokens.

Mail gets HTML, every other channel plain text: what chat services make of HTML differs.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from apprise import Apprise, AppriseAsset, AppriseAttachment, NotifyBase, NotifyFormat, NotifyType
from apprise.attachment.memory import AttachMemory
from apprise.common import PersistentStoreMode
from pydantic import SecretStr

from scopewatch.core.alerts.rules import Severity
from scopewatch.core.errors import ConfigError, DeliveryError, complaint
from scopewatch.messages.message import Message
from scopewatch.notify.attempts import Attempts
from scopewatch.notify.no_channels import not_configured
from scopewatch.notify.pictures import draw_charts

# A receiver that hangs holds up the other channels no longer than this.
CONNECT_S: Final = 10
ANSWER_S: Final = 20
WHOLE_S: Final = 45

HEADER: Final = "Idempotency-Key"
# These take headers of ours, and their host is no secret; of others (Slack, Discord) it is a
# token.
_PLAIN: Final = frozenset(
    f"{schema}{tls}" for schema in ("json", "xml", "form", "mailto") for tls in ("", "s")
)
_MAIL: Final = frozenset({"mailto", "mailtos"})
_TYPES: Final = {
    Severity.INFO: NotifyType.INFO,
    Severity.WARNING: NotifyType.WARNING,
    Severity.CRITICAL: NotifyType.FAILURE,
}
_LONGEST_REASON: Final = 300


class AppriseNotifier:
    """Implements `notify.outbox.Notifier`; for one thread.

    Parameters
    ----------
    channels
        Name of each channel and its Apprise URL.
    overlay_folder
        Attachments of messages are paths relative to it.
    whole_s
        Longest time in seconds that `send` waits for one message.
    progress
        Called every few seconds while `send` waits.

    Raises
    ------
    ConfigError
        One line for each channel whose URL Apprise does not understand.
    """

    def __init__(
        self,
        channels: Mapping[str, SecretStr],
        overlay_folder: Path,
        *,
        whole_s: float = WHOLE_S,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = overlay_folder.resolve()
        self._attempts = Attempts(within_s=whole_s, progress=progress)
        self._channels: dict[str, tuple[Apprise, NotifyBase]] = {}
        self._with_headers: set[str] = set()
        self._mails: set[str] = set()
        self._secrets: dict[str, list[str]] = {}
        _quieten()
        asset = AppriseAsset(
            app_id="scopewatch",
            app_desc="scopewatch alerts",
            async_mode=False,
            storage_mode=PersistentStoreMode.MEMORY,
            # None of its own: a limit makes it send from a pool whose threads Python joins at
            # exit, up to the answer of a receiver that hangs. `Attempts` bounds the time instead.
            service_timeout=0,
        )
        problems = []
        for name, url in channels.items():
            service = _open(url.get_secret_value(), asset)
            if service is None:
                problems.append(_bad_url(name, url.get_secret_value()))
                continue
            sender = Apprise(asset=asset)
            sender.add(service)
            self._channels[name] = (sender, service)
            self._secrets[name] = _secrets(url.get_secret_value())
            if _schema(url.get_secret_value()) in _PLAIN:
                self._with_headers.add(name)
            if _schema(url.get_secret_value()) in _MAIL:
                self._mails.add(name)
        if problems:
            raise ConfigError("\n".join(problems))

    def send(self, channel: str, message: Message) -> None:
        """Deliver, or raise DeliveryError; it takes at most `whole_s`."""
        if channel not in self._channels:
            raise not_configured(channel)
        work = partial(self._send, channel, message)
        self._attempts.make(channel, message.idempotency_key, work)

    def leave(self) -> None:
        """End the wait of a `send` under way, which then raises; any thread may call it."""
        self._attempts.leave()

    def _send(self, channel: str, message: Message) -> None:
        sender, service = self._channels[channel]
        headers = getattr(service, "headers", None)
        if channel in self._with_headers and isinstance(headers, dict):
            headers[HEADER] = message.idempotency_key
        as_html = channel in self._mails and bool(message.html)
        reference = f"Reference: {message.idempotency_key}"
        try:
            outcome = sender.notify(
                title=message.title,
                body=f"{message.html}<p><small>{escape(reference)}</small></p>"
                if as_html
                else f"{message.body}\n\n{reference}",
                body_format=NotifyFormat.HTML if as_html else NotifyFormat.TEXT,
                notify_type=_TYPES[message.severity],
                attach=self._attach(message),
            )
        except Exception as error:  # noqa: BLE001 - reported below, and tried again
            # A fault of a plugin must not hold up the other channels. Its text may hold a secret.
            raise _not_taken(channel, type(error).__name__) from None
        if not outcome:
            lines = (entry.message for entry in outcome.logs())
            raise _not_taken(channel, _redact(_joined(lines), self._secrets[channel]))

    def _attach(self, message: Message) -> AppriseAttachment | None:
        drawn = [
            AttachMemory(  # type: ignore[no-untyped-call]
                content=picture.content, name=picture.name, mimetype="image/png"
            )
            for picture in draw_charts(message)
        ]
        files = [str(path) for path in self._attachments(message)]
        return AppriseAttachment([*drawn, *files]) if drawn or files else None

    def _attachments(self, message: Message) -> list[Path]:
        """Return the files that are still there, and within the overlay folder."""
        paths = ((self._folder / name).resolve() for name in message.attachments)
        return [path for path in paths if path.is_relative_to(self._folder) and path.is_file()]


def _not_taken(channel: str, why: str) -> DeliveryError:
    return DeliveryError(
        complaint(
            "alert was not taken",
            where=f"channel {channel}",
            got=why,
            do="check the receiver and the channel's URL; it is tried again",
        ),
        permanent=False,
    )


def _quieten() -> None:
    """Keep addresses out of our log: Apprise and urllib3 write them there, tokens and all.

    `AppriseNotifier.send` reports what went wrong, redacted.
    """
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.INFO)


def _open(url: str, asset: AppriseAsset) -> NotifyBase | None:
    with warnings.catch_warnings():
        # Its mail plugin imports imghdr, which Python 3.11 and 3.12 call deprecated.
        warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)
        service = Apprise.instantiate(url, asset=asset)
    if service is not None:
        # Apprise waits 4 s by default: a mail server that scans a picture takes longer, and a
        # message that was taken but not confirmed in time would be sent twice.
        if "cto=" not in url:
            service.socket_connect_timeout = CONNECT_S
        if "rto=" not in url:
            service.socket_read_timeout = ANSWER_S
    return service


def _bad_url(name: str, url: str) -> str:
    schema = _schema(url)
    return complaint(
        "alert channel has a URL that is not understood",
        where=f"alerts.channels: {name}",
        expected="an Apprise URL such as mailto://user:password@host",
        got=f"{schema}://..." if schema else "no schema",
        do="see the Apprise documentation for this service",
    )


def _secrets(url: str) -> list[str]:
    """Return the parts of a URL that must never be shown, longest first."""
    rest = url.partition("://")[2]
    parts = {part for part in re.split(r"[/:@?&=+#,;]+", rest) if len(part) >= 4}
    if _schema(url) in _PLAIN:
        host = re.match(r"(?:[^/?]*@)?(\[[^\]]*\]|[^:/?#]+)", rest)
        parts -= {host[1]} if host else set()
    parts |= {unquote(part) for part in parts}
    return sorted(parts, key=len, reverse=True)


def _schema(url: str) -> str:
    found = re.match(r"[a-zA-Z][\w.+-]*(?=://)", url)
    return found[0].lower() if found else ""


def _redact(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _joined(messages: Iterable[str]) -> str:
    lines = dict.fromkeys(line.strip() for line in messages)
    return " ".join(lines)[:_LONGEST_REASON] or "no reason"
