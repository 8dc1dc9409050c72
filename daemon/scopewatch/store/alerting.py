"""Rules stepped, alerts recorded and messages queued, all within the caller's transaction."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.alert import (
    AlertRule,
    AlertState,
    Change,
    Observation,
    Severity,
    Transition,
    step,
)
from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.message import Message, WellName, compose
from scopewatch.store.estimates import complete_time_points, latest_overlay
from scopewatch.store.outbox import queue_message
from scopewatch.store.tables import Alert, RuleState, Well

log = logging.getLogger(__name__)

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What alerting needs to know besides the well.

    Parameters
    ----------
    channels
        Name of each channel and the least severity that it carries.
    sites_per_well
        Fields of view that complete a time point.
    """

    rules: Sequence[AlertRule]
    channels: Mapping[str, Severity]
    phase_channel: str
    sites_per_well: int
    simulated: bool


def step_rules(session: Session, well: Well, alarm: Alarm, now: datetime) -> tuple[Message, ...]:
    """Step each rule of a well over the time points that are complete by now, each once.

    Frames that arrive for a time point that was already stepped change its estimate, not what
    was said of it.

    Returns
    -------
    The messages of what changed, those of snoozed alerts left out.
    """
    messages: list[Message] = []
    for rule in alarm.rules:
        state = session.get(RuleState, (well.id, rule.name))
        if state is None:
            state = RuleState(
                well_id=well.id, rule=rule.name, last_time_point=-1, raised=False, streak=0
            )
            session.add(state)
        for time_point, estimate in complete_time_points(
            session,
            well.id,
            alarm.phase_channel,
            after=state.last_time_point,
            sites_per_well=alarm.sites_per_well,
        ):
            state.last_time_point = time_point
            if estimate is None:
                continue
            after, transition = step(
                AlertState(raised=state.raised, streak=state.streak),
                rule,
                Observation(day=estimate.day, efficiency=estimate.efficiency),
            )
            state.raised, state.streak = after.raised, after.streak
            if transition is not None:
                message = _announce(session, well, transition, time_point, alarm, now)
                messages.extend([message] if message else [])
        session.flush()
    return tuple(messages)


def acknowledge_alert(session: Session, alert_id: int, now: datetime) -> None:
    """Record that somebody has seen an alert; the first time counts."""
    alert = _alert(session, alert_id)
    alert.acked_at = alert.acked_at or now


def snooze_alert(session: Session, alert_id: int, until: datetime, now: datetime) -> None:
    """Keep an alert's rule quiet for its well until then."""
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


def _alert(session: Session, alert_id: int) -> Alert:
    alert = session.get(Alert, alert_id)
    if alert is None:
        raise StoreError(
            complaint(
                "there is no such alert", where=alert_id, do="see scopewatch alert list for theirs"
            )
        )
    return alert


def _announce(
    session: Session,
    well: Well,
    transition: Transition,
    time_point: int,
    alarm: Alarm,
    now: datetime,
) -> Message | None:
    snoozed = session.scalar(
        select(Alert.id).where(
            Alert.well_id == well.id,
            Alert.rule == transition.rule.name,
            Alert.snoozed_until > now,
        )
    )
    alert = _record(session, well, transition, time_point, now)
    name = WellName(experiment=well.run.name, plate=well.plate, well=well.name)
    message = compose(
        name,
        transition,
        simulated=alarm.simulated,
        key=_key(name, transition, time_point),
        overlay=latest_overlay(session, well.id, alarm.phase_channel),
    )
    event = {"well": str(name), "rule": transition.rule.name, "change": transition.change.value}
    if snoozed is not None:
        log.info("alert changed while snoozed", extra={"event": event})
        return None
    for channel, least in alarm.channels.items():
        if _RANK[message.severity] >= _RANK[least]:
            queue_message(session, channel, message, alert_id=alert.id, now=now)
    return message


def _record(
    session: Session, well: Well, transition: Transition, time_point: int, now: datetime
) -> Alert:
    rule, seen = transition.rule, transition.observation
    if transition.change is Change.RAISED:
        alert = Alert(
            well_id=well.id,
            rule=rule.name,
            severity=rule.severity.value,
            target=rule.target,
            raised_at=now,
            raised_time_point=time_point,
            raised_day=seen.day,
            raised_efficiency=seen.efficiency,
        )
        session.add(alert)
    else:
        alert = session.scalars(
            select(Alert)
            .where(Alert.well_id == well.id, Alert.rule == rule.name, Alert.resolved_at.is_(None))
            .order_by(Alert.id.desc())
            .limit(1)
        ).one()
        alert.resolved_at = now
        alert.resolved_time_point = time_point
        alert.resolved_day = seen.day
        alert.resolved_efficiency = seen.efficiency
    session.flush()
    return alert


def _key(name: WellName, transition: Transition, time_point: int) -> str:
    """Name the event, not the attempt: whoever commits it again gives the same key."""
    event = [
        name.experiment,
        name.plate,
        name.well,
        transition.rule.name,
        transition.change.value,
        time_point,
    ]
    return hashlib.sha256(json.dumps(event).encode()).hexdigest()[:32]
