"""Alerts as they are recorded, answered and resolved."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.serialisation import pack_evidence
from scopewatch.core.alerts.state_machine import Change, Transition
from scopewatch.core.errors import StoreError, complaint
from scopewatch.store.read.shown_points import shown_points
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.subjects import columns_of, subject_of
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A change that was recorded.

    Parameters
    ----------
    alert
        Number of the alert.
    snoozed
        Whether somebody wants no message of this rule for this subject now.
    """

    alert: int
    snoozed: bool


class Alerts:
    """The alerts of the database, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def acknowledged(self, run: str, plate: str | None) -> set[StateKey]:
        """Return the raised alerts of a plate (or of the run) that a person has seen."""
        found = self._session.execute(
            select(Alert.rule, Alert.experiment, Alert.plate, Alert.well).where(
                Alert.experiment == run,
                Alert.plate == (plate or ""),
                Alert.resolved_at.is_(None),
                Alert.acked_at.is_not(None),
            )
        )
        return {(rule, subject_of(*subject)) for rule, *subject in found}

    def with_course(
        self, subject: Subject, transition: Transition, time_point: int | None
    ) -> Transition:
        """Return a change with the time points that led to it: its state holds only the newest."""
        observation = transition.observation
        if subject.well is None or not observation.evidence.points:
            return transition
        newest = observation.evidence.points[-1]
        points = shown_points(self._session, subject, newest, time_point)
        evidence = replace(observation.evidence, points=points)
        return replace(transition, observation=replace(observation, evidence=evidence))

    def record(
        self, subject: Subject, transition: Transition, time_point: int | None, now: datetime
    ) -> Recorded:
        """Record that an alert was raised, escalated or resolved."""
        snoozed = self._session.scalar(
            select(Alert.id)
            .filter_by(**columns_of(subject), rule=transition.rule.name)
            .where(Alert.snoozed_until > now)
        )
        alert = _record(self._session, subject, transition, time_point, now)
        return Recorded(alert=alert.id, snoozed=snoozed is not None)

    def end(self, subject: Subject, now: datetime) -> None:
        """Resolve all alerts of a subject."""
        self._session.execute(
            update(Alert).filter_by(**columns_of(subject), resolved_at=None).values(resolved_at=now)
        )
        self._session.flush()

    def newest_overlay(self, subject: Subject) -> str | None:
        """Return the newest picture of a well, relative to the overlay folder."""
        if subject.well is None:
            return None
        named = {"run": subject.run, "plate": subject.plate, "well": subject.well}
        overlay: str | None = self._session.scalar(_overlay_statement(), named)
        return overlay

    def acknowledge(self, alert_id: int, now: datetime) -> None:
        """Record that somebody has seen an alert; the first time counts."""
        alert = _alert(self._session, alert_id)
        alert.acked_at = alert.acked_at or now

    def snooze(self, alert_id: int, until: datetime, now: datetime) -> None:
        """Send no message of an alert's rule for its subject until then."""
        if until <= now:
            raise StoreError(
                complaint(
                    "an alert can only be snoozed into the future",
                    where=f"alert {alert_id}",
                    got=until,
                    do="give a longer time",
                )
            )
        _alert(self._session, alert_id).snoozed_until = until

    def take_back(self, alert_id: int) -> None:
        """Forget the answer to an alert: that somebody has seen or snoozed it."""
        alert = _alert(self._session, alert_id)
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
        .filter_by(**columns_of(subject), rule=rule, resolved_at=None)
        .order_by(Alert.id.desc())
        .limit(1)
    ).one_or_none()


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
