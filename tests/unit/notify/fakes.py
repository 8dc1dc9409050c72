"""A fake notifier and a fake outbox."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scopewatch.core.alerts.rules import Severity
from scopewatch.messages.message import Message, OutboxItem


def message(title: str = "A1: weak", *, attachments: tuple[str, ...] = ()) -> Message:
    return Message(
        idempotency_key=f"key of {title}",
        severity=Severity.WARNING,
        title=title,
        body="Look at it.",
        attachments=attachments,
    )


@dataclass
class FakeNotifier:
    """A notifier that takes messages; `answer` may raise for some of them."""

    answer: Callable[[str, Message], None] = lambda _channel, _message: None
    tried: list[tuple[str, str]] = field(default_factory=list)
    taken: list[tuple[str, Message]] = field(default_factory=list)
    left: int = 0

    def send(self, channel: str, message: Message) -> None:
        self.tried.append((channel, message.title))
        self.answer(channel, message)
        self.taken.append((channel, message))

    def leave(self) -> None:
        self.left += 1


@dataclass
class _Row:
    channel: str
    message: Message
    next_try_at: datetime
    attempts: int = 0
    ended: str | None = None
    why: str | None = None


@dataclass
class FakeOutbox:
    """An implementation of `notify.outbox.Outbox` over a list."""

    rows: list[_Row] = field(default_factory=list)
    away: bool = False

    def put(self, channel: str, text: Message, now: datetime) -> None:
        self.rows.append(_Row(channel, text, now))

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        self._check()
        held: set[str] = set()
        items = []
        for number, row in enumerate(self.rows):
            if row.ended is not None or row.channel in held:
                continue
            if row.next_try_at > now and (longest is None or row.next_try_at <= now + longest):
                held.add(row.channel)
                continue
            items.append(
                OutboxItem(
                    row=number, channel=row.channel, message=row.message, attempts=row.attempts
                )
            )
        return items[:limit]

    def delivered(self, row: int, now: datetime) -> None:
        self._end(row, "delivered", None)

    def postponed(self, row: int, until: datetime, why: str) -> None:
        self._check()
        self.rows[row].attempts += 1
        self.rows[row].next_try_at = until
        self.rows[row].why = why

    def abandoned(self, row: int, why: str) -> None:
        self._end(row, "abandoned", why)

    def _end(self, row: int, how: str, why: str | None) -> None:
        self._check()
        self.rows[row].attempts += 1
        self.rows[row].ended = how
        self.rows[row].why = why

    def _check(self) -> None:
        if self.away:
            raise OSError("disk full")
