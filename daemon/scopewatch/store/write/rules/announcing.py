"""Alerts as they are recorded and answered, and their messages queued, in one transaction."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.serialisation import pack_evidence
from scopewatch.core.alerts.state_machine import Change, Subject, Transition
from scopewatch.core.errors import StoreError, complaint
from scopewatch.event_log import get_logger
from scopewatch.messages.alert_message import Message
from scopewatch.store.read.shown_points import shown_points
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate
from scopewatch.store.write.outbox import is_known, queue_message
from scopewatch.store.write.rules.rule_states import columns_of, subject_of

log = get_logger(__name__)


class Composer(Protocol):
    """Puts changes of alerts into words, and says who gets them. Pure."""

    def compose(
        self, subject: Subject, transition: Transition, *, key: str, overlay: str | None
    ) -> Message:
        """Return the message of a change; `overlay` is the newest picture of its well."""
        ...

    def channels(self, message: Message, experiment: str) -> Sequence[str]:
        """Return the names of the channels that carry a message about an experiment."""
        ...


def announce(
    session: Session,
    subject: Subject,
    transition: Transition,
    time_point: int | None,
    composer: Composer,
    now: datetime,
) -> Message | None:
    """Record a change and queue its message; None where the alert is snoozed.

    Of one that is snoozed nothing is put into words.

    Parameters
    ----------
    time_point
        The one that was stepped; None where it was the clock that told.
    """
    rule = transition.rule
    transition = _with_course(session, subject, transition, time_point)
    snoozed = session.scalar(
        select(Alert.id).where(_is(subject, rule.name), Alert.snoozed_until > now)
    )
    alert = _record(session, subject, transition, time_point, now)
    if snoozed is not None:
        event = {"subject": str(subject), "rule": rule.name, "change": transition.change.value}
        log.info("alert changed while snoozed", **event)
        return None
    key = _key(subject, transition, time_point)
    if is_known(session, key):
        # Of an earlier alert at that time point, which was stepped anew since.
        key = _key(subject, transition, time_point, again=alert.id)
    message = composer.compose(
        subject, transition, key=key, overlay=_newest_overlay(session, subject)
    )
    for channel in composer.channels(message, subject.experiment):
        queue_message(session, channel, message, alert_id=alert.id, now=now)
    return message


def _with_course(
    session: Session, subject: Subject, transition: Transition, time_point: int | None
) -> Transition:
    """Return a change with the time points that led to it: its state holds but the newest."""
    seen = transition.observation
    if subject.well is None or not seen.evidence.points:
        return transition
    points = shown_points(session, subject, seen.evidence.points[-1], time_point)
    evidence = replace(seen.evidence, points=points)
    return replace(transition, observation=replace(seen, evidence=evidence))


def acknowledged_alerts(session: Session, experiment: str, plate: str | None) -> set[StateKey]:
    """Return the raised alerts of a plate (or of the experiment) that a person has seen."""
    found = session.execute(
        select(Alert.rule, Alert.experiment, Alert.plate, Alert.well).where(
            Alert.experiment == experiment,
            Alert.plate == (plate or ""),
            Alert.resolved_at.is_(None),
            Alert.acked_at.is_not(None),
        )
    )
    return {(rule, subject_of(*subject)) for rule, *subject in found}


def acknowledge_alert(session: Session, alert_id: int, now: datetime) -> None:
    """Record that somebody has seen an alert; the first time counts."""
    alert = _alert(session, alert_id)
    alert.acked_at = alert.acked_at or now


def snooze_alert(session: Session, alert_id: int, until: datetime, now: datetime) -> None:
    """Keep an alert's rule quiet for its subject until then."""
    if until <= now:
        raise StoreError(
            complaint(
                "an alert can only be snoozed into the future",
                where=f"alert {alert_id}",
                got=until,
                do="give a longer time",
            )
        )
    _alert(session, alert_id).snoozed_until = until


def take_back_answer(session: Session, alert_id: int) -> None:
    """Forget that somebody has seen an alert or wanted to hear nothing of it."""
    alert = _alert(session, alert_id)
    alert.acked_at = None
    alert.snoozed_until = None


def _alert(session: Session, alert_id: int) -> Alert:
    alert = session.get(Alert, alert_id)
    if alert is None:
        raise StoreError(
            complaint(
                "there is no such alert", where=alert_id, do="see scopewatch alert list for theirs"
            )
        )
    return alert


def _record(
    session: Session,
    subject: Subject,
    transition: Transition,
    time_point: int | None,
    now: datetime,
) -> Alert:
    seen, rule = transition.observation, transition.rule
    alert = None if transition.change is Change.RAISED else _standing(session, subject, rule.name)
    if alert is None:
        # Also where what is escalated or resolved was never recorded (a database put back).
        alert = Alert(
            **columns_of(subject),
            rule=rule.name,
            kind=rule.kind.value,
            severity=transition.severity.value,
            raised_at=now,
            raised_time_point=time_point,
            raised_day=seen.day,
            evidence=pack_evidence(seen.evidence),
        )
        session.add(alert)
    if transition.change is Change.ESCALATED:
        alert.severity = transition.severity.value
        alert.escalated_at = now
    if transition.change is Change.RESOLVED:
        alert.resolved_at = now
        alert.resolved_time_point = time_point
        alert.resolved_day = seen.day
        alert.resolution = pack_evidence(seen.evidence)
    session.flush()
    return alert


def _standing(session: Session, subject: Subject, rule: str) -> Alert | None:
    return session.scalars(
        select(Alert)
        .where(_is(subject, rule), Alert.resolved_at.is_(None))
        .order_by(Alert.id.desc())
        .limit(1)
    ).one_or_none()


def _is(subject: Subject, rule: str) -> ColumnElement[bool]:
    named = columns_of(subject)
    return and_(
        Alert.experiment == named["experiment"],
        Alert.plate == named["plate"],
        Alert.well == named["well"],
        Alert.rule == rule,
    )


def _newest_overlay(session: Session, subject: Subject) -> str | None:
    """Return the newest picture of a well, relative to the overlay folder."""
    if subject.well is None:
        return None
    named = {"run": subject.experiment, "plate": subject.plate, "well": subject.well}
    overlay: str | None = session.scalar(_overlay_statement(), named)
    return overlay


@cache
def _overlay_statement() -> Select[*tuple[Any, ...]]:
    """Return what is asked for each alert; putting it together takes longer than asking it."""
    newest = (
        select(func.max(WellEstimate.time_point))
        .where(WellEstimate.well_id == Well.id)
        .correlate(Well)
        .scalar_subquery()
    )
    return (
        select(Result.overlay)
        .join(FrameRow, FrameRow.id == Result.frame_id)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run)
        .where(
            Run.name == bindparam("run"),
            Well.plate == bindparam("plate"),
            Well.name == bindparam("well"),
            FrameRow.time_point == newest,
        )
        .order_by(FrameRow.site)
        .limit(1)
    )


def _key(
    subject: Subject, transition: Transition, time_point: int | None, *, again: int | None = None
) -> str:
    """Name the event, not the attempt: whoever commits it again gives the same key."""
    named = columns_of(subject)
    event = [
        *(named[part] for part in ("experiment", "plate", "well")),
        transition.rule.name,
        transition.change.value,
        transition.at.isoformat() if time_point is None else time_point,
        *(() if again is None else (again,)),
    ]
    return hashlib.sha256(json.dumps(event).encode()).hexdigest()[:32]
