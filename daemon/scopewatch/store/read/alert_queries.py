"""Alerts and the channels they go to."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CTE, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.alerts.serialisation import unpack_evidence, unpack_state
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.well_name import WellName
from scopewatch.store.read.records.alerts import AlertRow, ChannelRow, Posting
from scopewatch.store.schema.alert_tables import Alert, OutboxRow, RuleState
from scopewatch.store.schema.subjects import subject_of

WAITING = "waiting"
DELIVERED = "delivered"
GIVEN_UP = "given up"


def list_alerts(
    session: Session,
    name: WellName | None,
    limit: int,
    *,
    open_only: bool,
    runs: Collection[str] | None = None,
    of_wells: bool = True,
    courses: bool = True,
) -> list[AlertRow]:
    """Return alerts, standing ones first, then newest first.

    Of one well: its own, and those of its plate that name it. Of some runs: those of the monitor
    that watches them, too.

    Parameters
    ----------
    of_wells
        Whether those of wells are meant, and not those of plates and of the monitor alone.
    courses
        Whether evidence holds all points of a course, and not the newest alone.
    """
    query = (
        select(Alert)
        .order_by(Alert.resolved_at.is_not(None), Alert.raised_at.desc(), Alert.id.desc())
        .limit(limit)
    )
    if name is not None:
        query = query.where(
            Alert.experiment == name.run,
            Alert.plate == name.plate,
            Alert.well.in_((name.well, "")),
        )
    if runs is not None:
        query = query.where(Alert.experiment.in_(runs))
    if open_only:
        query = query.where(Alert.resolved_at.is_(None))
    if not of_wells:
        query = query.where(Alert.well == "")
    found = session.scalars(query).all()
    postings = _postings(session, [alert.id for alert in found])
    standing = _standing(session, [alert for alert in found if not alert.resolved_at])
    rows = [
        _row(alert, tuple(postings.get(alert.id, ())), standing.get(alert.id), courses=courses)
        for alert in found
    ]
    if name is None:
        return rows
    return [row for row in rows if row.subject.well or name.well in row.evidence.wells]


def _key(row: Alert | RuleState) -> tuple[str, str, str, str]:
    return row.rule, row.experiment, row.plate, row.well


def _standing(session: Session, alerts: Sequence[Alert]) -> dict[int, AlertState]:
    """Return the states of the rules that raised these open alerts, by the alert's number."""
    numbers = {_key(alert): alert.id for alert in alerts}
    rows = session.scalars(
        select(RuleState).where(
            RuleState.open,
            RuleState.experiment.in_({alert.experiment for alert in alerts}),
            RuleState.well.in_({alert.well for alert in alerts}),
        )
    )
    return {numbers[_key(row)]: unpack_state(row.state) for row in rows if _key(row) in numbers}


def _row(
    alert: Alert, postings: tuple[Posting, ...], state: AlertState | None, *, courses: bool
) -> AlertRow:
    last = None if state is None else state.last
    resolution = alert.resolution
    return AlertRow(
        alert=alert.id,
        subject=subject_of(alert.experiment, alert.plate, alert.well),
        rule=alert.rule,
        kind=RuleKind(alert.kind),
        severity=Severity(alert.severity),
        raised_at=alert.raised_at,
        escalated_at=alert.escalated_at,
        resolved_at=alert.resolved_at,
        day=alert.raised_day,
        evidence=unpack_evidence(alert.evidence, course=courses),
        resolution=None if resolution is None else unpack_evidence(resolution, course=courses),
        acknowledged_at=alert.acked_at,
        snoozed_until=alert.snoozed_until,
        postings=postings,
        newest=None if last is None else last.evidence,
        newest_score=None if last is None else last.score,
        critical_streak=0 if state is None else state.critical_streak,
    )


def list_channels(session: Session, *, delivered: bool) -> list[ChannelRow]:
    """Return how each channel fares that ever had a message, by name.

    The cost grows with the messages that were delivered only where these are counted.
    """
    taken = _count_delivered(session) if delivered else None
    names = _names_of_channels()
    mine = OutboxRow.channel == names.c.channel
    waiting = (mine, OutboxRow.done_at.is_(None), OutboxRow.abandoned_at.is_(None))
    given_up = (mine, OutboxRow.done_at.is_(None), OutboxRow.abandoned_at.is_not(None))
    failed = (mine, OutboxRow.last_error.is_not(None))
    newest_error = select(OutboxRow.last_error).where(*failed).order_by(OutboxRow.id.desc())
    found = session.execute(
        select(
            names.c.channel,
            select(func.count()).where(*waiting).scalar_subquery(),
            select(func.count()).where(*given_up).scalar_subquery(),
            select(func.min(OutboxRow.created_at)).where(*waiting).scalar_subquery(),
            newest_error.limit(1).scalar_subquery(),
        )
        .where(names.c.channel.is_not(None))
        .order_by(names.c.channel)
    )
    return [
        ChannelRow(
            channel=channel,
            waiting=n_waiting,
            given_up=n_given_up,
            oldest_waiting_at=oldest_at,
            last_error=error,
            delivered=None if taken is None else taken.get(channel, 0),
        )
        for channel, n_waiting, n_given_up, oldest_at, error in found
    ]


def _count_delivered(session: Session) -> dict[str, int]:
    taken = select(OutboxRow.channel, func.count()).where(OutboxRow.done_at.is_not(None))
    return dict(iter(session.execute(taken.group_by(OutboxRow.channel))))


def _names_of_channels() -> CTE:
    """Find each name as the next one in the index: they are few, and messages are many."""
    first = select(func.min(OutboxRow.channel).label("channel")).cte("names", recursive=True)
    following = select(func.min(OutboxRow.channel)).where(OutboxRow.channel > first.c.channel)
    return first.union_all(select(following.scalar_subquery()).where(first.c.channel.is_not(None)))


def _postings(session: Session, alerts: list[int]) -> dict[int, list[Posting]]:
    postings: dict[int, list[Posting]] = {}
    # Of a message its title alone: reading all of it took most of the time of a page.
    rows = session.execute(
        select(
            OutboxRow.alert_id,
            OutboxRow.channel,
            OutboxRow.message["title"].as_string().label("title"),
            OutboxRow.done_at,
            OutboxRow.abandoned_at,
            OutboxRow.attempts,
            OutboxRow.last_error,
        )
        .where(OutboxRow.alert_id.in_(alerts))
        .order_by(OutboxRow.id)
    )
    for row in rows:
        postings.setdefault(row.alert_id, []).append(
            Posting(
                channel=row.channel,
                title=row.title,
                state=_state(row),
                attempts=row.attempts,
                why=row.last_error or "",
            )
        )
    return postings


def _state(row: Any) -> str:
    if row.done_at is not None:
        return DELIVERED
    return WAITING if row.abandoned_at is None else GIVEN_UP
