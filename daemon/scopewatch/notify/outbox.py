"""The outbox and the channels, as delivery uses them."""

from datetime import datetime, timedelta
from typing import Protocol

from scopewatch.messages.message import Message, OutboxItem


class Outbox(Protocol):
    """Messages that wait in the database until their channel has taken them."""

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        """Return the messages to try now, oldest first.

        One that was put off for more than `longest` is due: the clock was set back since.
        """
        ...

    def delivered(self, row: int, now: datetime) -> None:
        """Mark a message as taken."""
        ...

    def postponed(self, row: int, until: datetime, why: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    def abandoned(self, row: int, why: str) -> None:
        """Give a message up for good: its channel refused it permanently."""
        ...


class Notifier(Protocol):
    """Sends one message to one channel."""

    def send(self, channel: str, message: Message) -> None:
        """Deliver, or raise DeliveryError."""
        ...

    def leave(self) -> None:
        """End the wait of a `send` under way, which then raises; any thread may call it."""
        ...
