"""Rules stepped, alerts recorded and messages queued, all within the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.plate import PlateFacts, StateKey
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState, Observation, Subject, step
from scopewatch.core.alerts.wells import WellFacts
from scopewatch.messages.alert_message import Message
from scopewatch.store.read.plate_history import plate_of
from scopewatch.store.read.silent_plates import silent_plates
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.write.budget import Budget
from scopewatch.store.write.rules.announcing import Composer, acknowledged_alerts, announce
from scopewatch.store.write.rules.rule_states import read_states, subject_of, write_states
from scopewatch.store.write.rules.stepping import Alarm, Told, next_due, step_due, step_once

# A plate without any frame for so long is done with: it is not looked at any more.
DONE_WITH: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePlate:
    """A plate that is to be stepped without a frame of it.

    Parameters
    ----------
    well
        One of its wells.
    quiet
        True when no frame of the plate came for long: nothing more is waited for.
    """

    well: int
    quiet: bool


def step_wells(session: Session, well: Well, alarm: Alarm, now: datetime, budget: Budget) -> Told:
    """Step the rules of a well and its plate over what is complete by now, each moment once.

    Frames that arrive for a time point that was already stepped change its estimate, not what
    was said of it. What the budget leaves out is left to `catch_up`.
    """
    plate = plate_of(session, well, alarm.rules)
    told = step_due(session, plate, alarm, now, budget, only=(well.name,), quiet=False)
    well.behind = told.more
    return told


def due_plates(session: Session, alarm: Alarm, now: datetime, *, patient: bool) -> list[DuePlate]:
    """Return the plates that were left behind, or whose missing frames are not waited for longer.

    Parameters
    ----------
    patient
        True where nobody can say for how long no frame came, the clock having been set: then no
        plate is quiet yet.
    """
    quiet = {}
    for number in [] if patient else silent_plates(session, now, alarm.patience, DONE_WITH):
        well = session.get_one(Well, number)
        plate = plate_of(session, well, alarm.rules)
        # Wells that go by themselves wait for their frames, however long.
        if plate.joint and next_due(session, plate, alarm, only=None, quiet=True)[0].steps:
            quiet[well.run_id, well.plate] = DuePlate(well=number, quiet=True)
    behind = {
        (well.run_id, well.plate): DuePlate(well=well.id, quiet=False)
        for well in session.scalars(select(Well).where(Well.behind))
    }
    return list((behind | quiet).values())


def still_due(
    session: Session, plates: Sequence[DuePlate], alarm: Alarm, now: datetime
) -> list[DuePlate]:
    """Have frames waited for again on plates that were quiet and of which one has come since."""
    if not any(plate.quiet for plate in plates):
        return list(plates)
    silent = silent_plates(session, now, alarm.patience, DONE_WITH)
    return [replace(plate, quiet=plate.quiet and plate.well in silent) for plate in plates]


def catch_up(session: Session, due: DuePlate, alarm: Alarm, now: datetime, budget: Budget) -> Told:
    """Step the rules of a plate over what is complete by now, as `step_wells`."""
    well = session.get_one(Well, due.well)
    plate = plate_of(session, well, alarm.rules)
    of_plate = Well.run_id == well.run_id, Well.plate == well.plate
    left = session.scalars(select(Well.name).where(*of_plate, Well.behind)).all()
    told = step_due(session, plate, alarm, now, budget, only=left, quiet=due.quiet)
    if left and not told.more:
        session.execute(update(Well).where(*of_plate).values(behind=False))
    return told


def let_time_pass(
    session: Session, experiment: str, plate: str, alarm: Alarm, now: datetime
) -> list[Message]:
    """Tell what only the clock can change of a plate: quiet hours end, alerts grow old.

    Nothing is read of its wells but their names.
    """
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
    states = read_states(session, experiment, plate, alarm.names)
    return step_once(session, alarm.rules, states, facts, None, alarm, now)


def step_monitor(
    session: Session,
    experiment: str,
    observed: Sequence[tuple[AlertRule, Observation]],
    composer: Composer,
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
            told = announce(session, subject, transition, None, composer, now)
            messages += [told] if told else []
    write_states(session, before, after, {})
    return tuple(messages)
