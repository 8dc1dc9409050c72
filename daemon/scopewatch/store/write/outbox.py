"""The outbox: messages that wait in the database until their channel has taken them.

The store does not look into a message: its content is JSON that the sender packs and unpacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, select
from sqlalchemy.orm import Session, aliased

from scopewatch.store.schema.alert_tables import OutboxRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One message on its way to one channel.

    Parameters
    ----------
    row
        Number of its row.
    key
        Idempotency key: equal for every attempt at the same message.
    content
        The message as JSON values.
    """

    row: int
    channel: str
    key: str
    content: Mapping[str, Any]
    attempts: int


class Outbox:
    """The messages that wait, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def queue(
        self,
        channel: str,
        key: str,
        content: Mapping[str, Any],
        *,
        alert: int | None,
        now: datetime,
    ) -> None:
        """Add a message for one channel.

        Parameters
        ----------
        alert
            Number of the alert that it reports; None where it reports none.
        """
        self._session.add(
            OutboxRow(
                channel=channel,
                alert_id=alert,
                idempotency_key=key,
                message=dict(content),
                created_at=now,
                attempts=0,
                next_try_at=now,
            )
        )

    def queue_once(
        self, channel: str, key: str, content: Mapping[str, Any], *, now: datetime
    ) -> bool:
        """Add a message that reports no alert; False when it was there before.

        Whether it waits or left long ago: a message of one key goes to a channel once.
        """
        there = exists().where(OutboxRow.channel == channel, OutboxRow.idempotency_key == key)
        if self._session.scalar(select(there)):
            return False
        self.queue(channel, key, content, alert=None, now=now)
        return True

    def knows(self, key: str) -> bool:
        """Whether a message of a key is or was queued for any channel."""
        return bool(self._session.scalar(select(exists().where(OutboxRow.idempotency_key == key))))

    def due(self, now: datetime, limit: int, longest: timedelta | None = None) -> list[Queued]:
        """Return the messages to try now, oldest first.

        A message waits for the earlier ones of its channel, so that they arrive in order; one that
        was never tried waits for nothing else.

        Parameters
        ----------
        longest
            No message is put off for longer: one that is was put off before the clock was set back,
            and is due.
        """
        if not self._session.scalar(_ANY_OPEN):
            return []
        earlier = aliased(OutboxRow)
        held_up = exists().where(
            earlier.channel == OutboxRow.channel,
            earlier.id < OutboxRow.id,
            earlier.done_at.is_(None),
            earlier.abandoned_at.is_(None),
            *_waiting(earlier, now, longest),
        )
        rows = self._session.scalars(
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
            Queued(
                row=row.id,
                channel=row.channel,
                key=row.idempotency_key,
                content=row.message,
                attempts=row.attempts,
            )
            for row in rows
        ]

    def delivered(self, row: int, now: datetime) -> None:
        """Mark a message as taken by its channel."""
        item = self._session.get_one(OutboxRow, row)
        item.attempts += 1
        item.done_at = now

    def postponed(self, row: int, until: datetime, why: str) -> None:
        """Count a failed attempt, and set when the next is due."""
        item = self._session.get_one(OutboxRow, row)
        item.attempts += 1
        item.next_try_at = until
        item.last_error = why

    def abandoned(self, row: int, now: datetime, why: str) -> None:
        """Mark a message as given up for good."""
        item = self._session.get_one(OutboxRow, row)
        item.attempts += 1
        item.abandoned_at = now
        item.last_error = why


# Asked every few seconds, and mostly there is nothing to send.
_ANY_OPEN = select(exists().where(OutboxRow.done_at.is_(None), OutboxRow.abandoned_at.is_(None)))


def _waiting(
    row: type[OutboxRow], now: datetime, longest: timedelta | None
) -> list[ColumnElement[bool]]:
    put_off = [row.next_try_at > now, row.attempts > 0]
    return put_off if longest is None else [*put_off, row.next_try_at <= now + longest]
