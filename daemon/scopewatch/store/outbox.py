"""Messages that wait in the database until their channel has taken them."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from scopewatch.core.alert import Severity
from scopewatch.core.message import Message
from scopewatch.core.ports import OutboxItem
from scopewatch.store.tables import OutboxRow


def queue_message(
    session: Session, channel: str, message: Message, *, alert_id: int, now: datetime
) -> None:
    """Put a message into the outbox of one channel."""
    session.add(
        OutboxRow(
            channel=channel,
            alert_id=alert_id,
            idempotency_key=message.idempotency_key,
            message={
                "severity": message.severity.value,
                "title": message.title,
                "body": message.body,
                "attachments": list(message.attachments),
            },
            created_at=now,
            attempts=0,
            next_try_at=now,
        )
    )


def due_items(session: Session, now: datetime, limit: int) -> list[OutboxItem]:
    """Return the messages to try now, oldest first.

    A message waits for the earlier ones of its channel, so that they arrive in order.
    """
    earlier = aliased(OutboxRow)
    held_up = exists().where(
        earlier.channel == OutboxRow.channel,
        earlier.id < OutboxRow.id,
        earlier.done_at.is_(None),
        earlier.abandoned_at.is_(None),
        earlier.next_try_at > now,
    )
    rows = session.scalars(
        select(OutboxRow)
        .where(
            OutboxRow.done_at.is_(None),
            OutboxRow.abandoned_at.is_(None),
            OutboxRow.next_try_at <= now,
            ~held_up,
        )
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    return [
        OutboxItem(row=row.id, channel=row.channel, message=_message(row), attempts=row.attempts)
        for row in rows
    ]


def mark_delivered(session: Session, row: int, now: datetime) -> None:
    """Note that the channel took a message."""
    item = session.get_one(OutboxRow, row)
    item.attempts += 1
    item.done_at = now


def mark_postponed(session: Session, row: int, until: datetime, why: str) -> None:
    """Note that an attempt failed and when the next is due."""
    item = session.get_one(OutboxRow, row)
    item.attempts += 1
    item.next_try_at = until
    item.last_error = why


def mark_abandoned(session: Session, row: int, now: datetime, why: str) -> None:
    """Note that a message is given up for good."""
    item = session.get_one(OutboxRow, row)
    item.attempts += 1
    item.abandoned_at = now
    item.last_error = why


def _message(row: OutboxRow) -> Message:
    return Message(
        idempotency_key=row.idempotency_key,
        severity=Severity(row.message["severity"]),
        title=row.message["title"],
        body=row.message["body"],
        attachments=tuple(row.message["attachments"]),
    )
