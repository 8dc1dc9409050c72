"""A test message, so that a person knows before the first alert that alerts arrive."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from scopewatch.core.alert import Severity
from scopewatch.core.errors import DeliveryError
from scopewatch.core.message import Message
from scopewatch.core.ports import Notifier


def announce_test(
    notifier: Notifier, channels: Iterable[str], *, experiment: str, now: datetime
) -> dict[str, str | None]:
    """Send a test message to each channel at once, past the outbox.

    Returns
    -------
    For each channel None, or the line that says why it was not delivered.
    """
    message = Message(
        idempotency_key=hashlib.sha256(f"test {experiment} {now}".encode()).hexdigest()[:32],
        severity=Severity.INFO,
        title="scopewatch: test message",
        body=f"This is a test of the alerts for {experiment}. They arrive here. Nothing to do.",
    )
    outcome: dict[str, str | None] = {}
    for channel in channels:
        try:
            notifier.send(channel, message)
        except DeliveryError as error:
            outcome[channel] = str(error)
        else:
            outcome[channel] = None
    return outcome
