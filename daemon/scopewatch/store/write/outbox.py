"""Messages that wait in the database until their channel has taken them."""

from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, exists, not_, select
from sqlalchemy.orm import Session, aliased

from scopewatch.messages.alert_message import Message, OutboxItem
from scopewatch.store.schema.alert_tables import OutboxRow

_MESSAGE: Final = TypeAdapter(Message)


def queue_message(
    session: Session, channel: str, message: Message, *, alert_id: int | None, now: datetime
) -> None:
    """Put a message into the outbox of one channel."""
    session.add(
        OutboxRow(
            channel=channel,
            alert_id=alert_id,
            idempotency_key=message.idempotency_key,
            message=pack_message(message),
            created_at=now,
            attempts=0,
            next_try_at=now,
        )
    )


def queue_once(session: Session, channel: str, message: Message, *, now: datetime) -> bool:
    """Put a message that belongs to no alert into the outbox; False when it was there before.

    Whether it waits or left long ago: a message of one key goes to a channel once.
    """
    there = exists().where(
        OutboxRow.channel == channel, OutboxRow.idempotency_key == message.idempotency_key
    )
    if session.scalar(select(there)):
        return False
    queue_message(session, channel, message, alert_id=None, now=now)
    return True


def is_known(session: Session, key: str) -> bool:
    """Tell whether a message of a key is or was in any outbox."""
    return bool(session.scalar(select(exists().where(OutboxRow.idempotency_key == key))))


def pack_message(message: Message) -> dict[str, Any]:
    """Return a message as JSON holds it, without its key, which has a column of its own."""
    packed: dict[str, Any] = _MESSAGE.dump_python(message, mode="json", exclude_defaults=True)
    del packed["idempotency_key"]
    return packed


def unpack_message(packed: dict[str, Any], key: str) -> Message:
    """Return the message that `pack_message` packed."""
    return _MESSAGE.validate_python({**packed, "idempotency_key": key})


def due_items(
    session: Session, now: datetime, limit: int, longest: timedelta | None = None
) -> list[OutboxItem]:
    """Return the messages to try now, oldest first.

    A message waits for the earlier ones of its channel, so that they arrive in order; one that was
    never tried waits for nothing else.

    Parameters
    ----------
    longest
        No message is put off for longer: one that is has been before the clock was set back, and
        is due.
    """
    earlier = aliased(OutboxRow)
    held_up = exists().where(
        earlier.channel == OutboxRow.channel,
        earlier.id < OutboxRow.id,
        earlier.done_at.is_(None),
        earlier.abandoned_at.is_(None),
        *_waiting(earlier, now, longest),
    )
    rows = session.scalars(
        select(OutboxRow)
        .where(
            OutboxRow.done_at.is_(None),
            OutboxRow.abandoned_at.is_(None),
            not_(and_(*_waiting(OutboxRow, now, longest))),
            ~held_up,
        )
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    return [
        OutboxItem(
            row=row.id,
            channel=row.channel,
            message=unpack_message(row.message, row.idempotency_key),
            attempts=row.attempts,
        )
        for row in rows
    ]


def _waiting(
    row: type[OutboxRow], now: datetime, longest: timedelta | None
) -> list[ColumnElement[bool]]:
    put_off = [row.next_try_at > now, row.attempts > 0]
    return put_off if longest is None else [*put_off, row.next_try_at <= now + longest]


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
