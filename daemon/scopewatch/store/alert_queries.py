"""Alerts and the channels they go to."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alert import Severity
from scopewatch.core.message import WellName
from scopewatch.store.records import AlertRow, ChannelRow, Posting
from scopewatch.store.tables import Alert, OutboxRow, Run, Well
from scopewatch.store.well_queries import named

WAITING = "waiting"
DELIVERED = "delivered"
GIVEN_UP = "given up"


def list_alerts(
    session: Session, name: WellName | None, limit: int, *, open_only: bool
) -> list[AlertRow]:
    """Return alerts (of one well): raised ones first, then newest first."""
    query = (
        select(Alert, Well, Run)
        .join(Well, Well.id == Alert.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(*(named(name) if name is not None else ()))
        .order_by(Alert.resolved_at.is_not(None), Alert.raised_at.desc(), Alert.id.desc())
        .limit(limit)
    )
    if open_only:
        query = query.where(Alert.resolved_at.is_(None))
    found = session.execute(query).all()
    postings = _postings(session, [alert.id for alert, _, _ in found])
    return [
        AlertRow(
            alert=alert.id,
            name=WellName(experiment=run.name, plate=well.plate, well=well.name),
            rule=alert.rule,
            severity=Severity(alert.severity),
            target=alert.target,
            raised_at=alert.raised_at,
            resolved_at=alert.resolved_at,
            day=alert.raised_day,
            efficiency=alert.raised_efficiency,
            acknowledged_at=alert.acked_at,
            snoozed_until=alert.snoozed_until,
            postings=tuple(postings.get(alert.id, ())),
        )
        for alert, well, run in found
    ]


def list_channels(session: Session) -> list[ChannelRow]:
    """Return how each channel fares that ever had a message, by name."""
    waiting = (OutboxRow.done_at.is_(None)) & (OutboxRow.abandoned_at.is_(None))
    newest_error = (
        select(OutboxRow.channel, OutboxRow.last_error)
        .where(OutboxRow.last_error.is_not(None))
        .order_by(OutboxRow.id)
    )
    errors = {row.channel: row.last_error for row in session.execute(newest_error)}
    found = session.execute(
        select(
            OutboxRow.channel,
            func.sum(case((waiting, 1), else_=0)),
            func.sum(case((OutboxRow.done_at.is_not(None), 1), else_=0)),
            func.sum(case((OutboxRow.abandoned_at.is_not(None), 1), else_=0)),
            func.min(case((waiting, OutboxRow.created_at))),
        )
        .group_by(OutboxRow.channel)
        .order_by(OutboxRow.channel)
    )
    return [
        ChannelRow(
            channel=channel,
            waiting=n_waiting,
            delivered=n_delivered,
            given_up=n_given_up,
            oldest_waiting_at=oldest,
            last_error=errors.get(channel),
        )
        for channel, n_waiting, n_delivered, n_given_up, oldest in found
    ]


def _postings(session: Session, alerts: list[int]) -> dict[int, list[Posting]]:
    postings: dict[int, list[Posting]] = {}
    for row in session.scalars(
        select(OutboxRow).where(OutboxRow.alert_id.in_(alerts)).order_by(OutboxRow.id)
    ):
        if row.alert_id is not None:
            postings.setdefault(row.alert_id, []).append(
                Posting(
                    channel=row.channel,
                    title=row.message["title"],
                    state=_state(row),
                    attempts=row.attempts,
                    why=row.last_error or "",
                )
            )
    return postings


def _state(row: OutboxRow) -> str:
    if row.done_at is not None:
        return DELIVERED
    return WAITING if row.abandoned_at is None else GIVEN_UP
