"""Delivery where no alert channel is configured: messages of former ones are given up."""

from typing import NoReturn

from scopewatch.core.errors import DeliveryError, complaint
from scopewatch.messages.message import Message


def not_configured(channel: str) -> DeliveryError:
    """Return the error for a message whose channel is not configured any more."""
    return DeliveryError(
        complaint(
            "alert channel is not configured any more",
            where=channel,
            do="add it to alerts.channels again to get its future messages",
        ),
        permanent=True,
    )


class NoChannels:
    """Implements `notify.outbox.Notifier` without loading Apprise."""

    def send(self, channel: str, _message: Message) -> NoReturn:
        """Raise DeliveryError."""
        raise not_configured(channel)

    def leave(self) -> None:
        """Do nothing: it never waits."""
