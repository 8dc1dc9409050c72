"""Changes of alerts: each is recorded, and its message composed and queued in the same transaction.

Composing is pure: no catalogue, template or picture is opened before delivery.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.state_machine import Transition
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Message
from scopewatch.messages.stored_message import pack_message
from scopewatch.store.unit_of_work import UnitOfWork

log = get_logger(__name__)


class Composer(Protocol):
    """Puts changes of alerts into words, and decides who receives them. Pure."""

    def compose(
        self, subject: Subject, transition: Transition, *, key: str, overlay: str | None
    ) -> Message:
        """Return the message of a change; `overlay` is the newest picture of its well."""
        ...

    def channels(self, message: Message, run: str) -> Sequence[str]:
        """Return the names of the channels that carry a message about a run."""
        ...


def announce(
    work: UnitOfWork,
    subject: Subject,
    transition: Transition,
    time_point: int | None,
    composer: Composer,
    now: datetime,
) -> Message | None:
    """Record a change and queue its message; None where the alert is snoozed.

    The message of a snoozed alert is not composed.

    Parameters
    ----------
    time_point
        The one that was stepped; None where the clock alone caused the change.
    """
    transition = work.alerts.with_course(subject, transition, time_point)
    recorded = work.alerts.record(subject, transition, time_point, now)
    if recorded.snoozed:
        log.info(
            "alert changed while snoozed",
            subject=str(subject),
            rule=transition.rule.name,
            change=transition.change.value,
        )
        return None
    key = _key(subject, transition, time_point)
    if work.outbox.knows(key):
        # Of an earlier alert at that time point, which was stepped again since.
        key = _key(subject, transition, time_point, again=recorded.alert)
    message = composer.compose(
        subject, transition, key=key, overlay=work.alerts.newest_overlay(subject)
    )
    content = pack_message(message)
    for channel in composer.channels(message, subject.run):
        work.outbox.queue(channel, key, content, alert=recorded.alert, now=now)
    return message


def _key(
    subject: Subject, transition: Transition, time_point: int | None, *, again: int | None = None
) -> str:
    """Name the event, not the attempt: whoever commits it again gives the same key."""
    event = [
        subject.run,
        subject.plate or "",
        subject.well or "",
        transition.rule.name,
        transition.change.value,
        transition.at.isoformat() if time_point is None else time_point,
        *(() if again is None else (again,)),
    ]
    return hashlib.sha256(json.dumps(event).encode()).hexdigest()[:32]
