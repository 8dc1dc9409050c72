"""Rules stepped, alerts recorded and messages queued, all within the caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from scopewatch.core.alert import AlertState, Observation, Subject, step
from scopewatch.core.alert_plate import PlateFacts, PlateStep, StateKey, step_plate
from scopewatch.core.alert_rule import AlertRule
from scopewatch.core.alert_wells import WellFacts
from scopewatch.core.message import Message
from scopewatch.store.announcing import Announcing, acknowledged_alerts, announce
from scopewatch.store.facts import gather_wells
from scopewatch.store.rounds import Plate, Round, plate_of, rounds_of
from scopewatch.store.states import open_plates, read_states, subject_of, write_states
from scopewatch.store.tables import FrameRow, Run, Well

# A time point of a plate that lacks a frame is not waited for longer than this share of the
# interval, and never for more than an hour.
PATIENCE: Final = 0.1
MOST_PATIENCE: Final = timedelta(hours=1)
# A plate without any frame for so long is done with: it is not looked at any more.
DONE_WITH: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What alerting needs to know besides the well.

    Parameters
    ----------
    rules
        Of wells and plates; those of the monitor are passed over.
    sites_per_well
        Fields of view that complete a time point.
    judged_under
        What is judged under now: what was quarantined under anything else is still to be tried.
    """

    rules: Sequence[AlertRule]
    announcing: Announcing
    phase_channel: str
    sites_per_well: int
    interval_h: float
    judged_under: Collection[str]

    @property
    def patience(self) -> timedelta:
        """How long a plate's missing frame is waited for after its last one."""
        return min(PATIENCE * timedelta(hours=self.interval_h), MOST_PATIENCE)


def step_wells(session: Session, well: Well, alarm: Alarm, now: datetime) -> tuple[Message, ...]:
    """Step the rules of a well and its plate over what is complete by now, each moment once.

    Frames that arrive for a time point that was already stepped change its estimate, not what
    was said of it.

    Returns
    -------
    The messages of what changed, those of snoozed alerts left out.
    """
    plate = plate_of(session, well, alarm.rules)
    return tuple(_step_rounds(session, plate, alarm, now, only=well.name, quiet=False))


def let_time_pass(
    session: Session, alarm: Alarm, now: datetime, *, patient: bool = False
) -> tuple[Message, ...]:
    """Tell what only the clock can change: quiet hours end, alerts grow old, a frame is missed.

    Parameters
    ----------
    patient
        True where nobody can say for how long no frame came, the clock having been set: then no
        plate is quiet yet.
    """
    messages: list[Message] = []
    for well in [] if patient else _quiet_plates(session, now, alarm.patience):
        plate = plate_of(session, well, alarm.rules)
        if plate.joint:
            messages += _step_rounds(session, plate, alarm, now, only=None, quiet=True)
    names = [rule.name for rule in alarm.rules]
    for experiment, plate_name in open_plates(session, names):
        messages += _tick_plate(session, experiment, plate_name, alarm, now)
    return tuple(messages)


def step_monitor(
    session: Session,
    experiment: str,
    observed: Sequence[tuple[AlertRule, Observation]],
    announcing: Announcing,
    now: datetime,
) -> tuple[Message, ...]:
    """Step rules of the monitor itself, whose subject is the whole experiment."""
    subject = Subject(experiment=experiment)
    before = read_states(session, experiment, None, [rule.name for rule, _ in observed])
    seen = acknowledged_alerts(session, experiment, None)
    after: dict[StateKey, AlertState] = {}
    messages: list[Message] = []
    for rule, observation in observed:
        key = rule.name, subject
        after[key], transition = step(
            before.states.get(key, AlertState()), rule, observation, acknowledged=key in seen
        )
        if transition is not None:
            told = announce(session, subject, transition, None, announcing, now)
            messages += [told] if told else []
    write_states(session, before, after, {})
    return tuple(messages)


def _step_rounds(
    session: Session,
    plate: Plate,
    alarm: Alarm,
    now: datetime,
    *,
    only: str | None,
    quiet: bool,
) -> list[Message]:
    messages: list[Message] = []
    if not plate.rules:
        return messages
    for moment in rounds_of(
        session,
        plate,
        only=only,
        channel=alarm.phase_channel,
        sites_per_well=alarm.sites_per_well,
        judged_under=alarm.judged_under,
        quiet=quiet,
    ):
        wells = gather_wells(
            session,
            plate,
            moment,
            channel=alarm.phase_channel,
            interval_h=alarm.interval_h,
            now=now,
        )
        facts = PlateFacts(
            subject=Subject(experiment=plate.experiment, plate=plate.plate),
            at=now,
            day=max(well.day for well in wells if well.well in moment.fresh),
            wells=tuple(wells),
            fresh=moment.fresh,
            whole=moment.whole,
        )
        messages += _step(session, moment.rules, facts, moment, alarm, now)
    return messages


def _tick_plate(
    session: Session, experiment: str, plate: str, alarm: Alarm, now: datetime
) -> list[Message]:
    """Let the clock step a plate; nothing is read of its wells but their names."""
    names = session.scalars(
        select(Well.name)
        .join(Run)
        .where(Run.name == experiment, Well.plate == plate)
        .order_by(Well.id)
    )
    wells = tuple(
        WellFacts(
            subject=subject_of(experiment, plate, name),
            at=now,
            day=0.0,
            looks=(),
            running=None,
            forecast=None,
        )
        for name in names
    )
    facts = PlateFacts(
        subject=subject_of(experiment, plate, ""),
        at=now,
        day=0.0,
        wells=wells,
        fresh=frozenset(),
    )
    return _step(session, alarm.rules, facts, None, alarm, now)


def _step(
    session: Session,
    rules: Sequence[AlertRule],
    facts: PlateFacts,
    moment: Round | None,
    alarm: Alarm,
    now: datetime,
) -> list[Message]:
    """Step a plate, write where its rules stand, and announce what changed."""
    experiment, plate = facts.subject.experiment, facts.subject.plate
    before = read_states(session, experiment, plate, [rule.name for rule in rules])
    outcome = step_plate(
        rules,
        before.states,
        facts,
        acknowledged=acknowledged_alerts(session, experiment, plate),
    )
    stepped = {} if moment is None else _stepped(rules, facts, outcome, moment)
    write_states(session, before, outcome.states, stepped)
    messages = []
    for subject, transition in outcome.transitions:
        time_point = None if moment is None else moment.time_point
        told = announce(session, subject, transition, time_point, alarm.announcing, now)
        messages += [told] if told else []
    return messages


def _stepped(
    rules: Sequence[AlertRule], facts: PlateFacts, outcome: PlateStep, moment: Round
) -> Mapping[StateKey, int]:
    """Return which states have stepped over the round's time point."""
    fresh = {well.subject for well in facts.wells if well.well in moment.fresh}
    whole = {facts.subject} if moment.whole else set()
    kinds = {rule.name: rule.kind for rule in rules}
    return {
        (rule, subject): moment.time_point
        for rule, subject in outcome.states
        if subject in (whole if kinds[rule].of_a_plate else fresh)
    }


def _quiet_plates(session: Session, now: datetime, patience: timedelta) -> list[Well]:
    """Return a well of each plate of which no frame came for a while, but not for very long.

    Where the latest was settled later than now, the clock was set back since: then the one that
    came in last tells.
    """
    latest = func.max(FrameRow.settled_at)
    plates = (
        select(
            func.min(Well.id).label("well"), latest.label("at"), func.max(FrameRow.id).label("id")
        )
        .join(FrameRow, FrameRow.well_id == Well.id)
        .where(FrameRow.settled_at.is_not(None))
        .group_by(Well.run_id, Well.plate)
        .having(latest > now - DONE_WITH)
        .subquery()
    )
    newest_at = FrameRow.settled_at
    quiet_since_set = or_(newest_at <= now - patience, newest_at > now)
    found = session.scalars(
        select(plates.c.well)
        .join(FrameRow, FrameRow.id == plates.c.id)
        .where(or_(plates.c.at <= now - patience, and_(plates.c.at > now, quiet_since_set)))
    )
    return [session.get_one(Well, number) for number in found.all()]
