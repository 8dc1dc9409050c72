"""Plates that are stepped without a frame: left behind, silent, or changed by the clock alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from scopewatch.app.recording.announcing import Composer, announce
from scopewatch.app.recording.stepping import Alerting, Stepped, next_due, step_due, step_once
from scopewatch.core.alerts.observation import Observation, Subject
from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState, step
from scopewatch.messages.message import Message
from scopewatch.monitoring.budget import Budget
from scopewatch.store.unit_of_work import UnitOfWork

# A plate without any frame for so long is finished: it is not looked at any more.
DONE_WITH: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePlate:
    """A plate that is to be stepped without a frame of it.

    Parameters
    ----------
    well
        Number of one of its wells.
    quiet
        True when no frame of the plate came for long: nothing more is waited for.
    """

    well: int
    quiet: bool


def due_plates(
    work: UnitOfWork, alerting: Alerting, now: datetime, *, patient: bool
) -> list[DuePlate]:
    """Return the plates that were left behind, or whose missing frames are not waited for longer.

    Parameters
    ----------
    patient
        True where nobody knows for how long no frame came, the clock having been set: then no
        plate is quiet yet.
    """
    quiet = {}
    for number in [] if patient else work.plates.silent(now, alerting.patience, DONE_WITH):
        well = work.plates.well(number)
        plate = work.plates.of(well, alerting.rules)
        # Wells that are stepped by themselves wait for their frames, however long.
        if plate.joint and next_due(work, plate, alerting, only=None, quiet=True)[0].steps:
            quiet[well.run_id, well.plate] = DuePlate(well=number, quiet=True)
    behind = {
        (well.run_id, well.plate): DuePlate(well=well.id, quiet=False)
        for well in work.plates.behind()
    }
    return list((behind | quiet).values())


def still_due(
    work: UnitOfWork, plates: Sequence[DuePlate], alerting: Alerting, now: datetime
) -> list[DuePlate]:
    """Return the plates; those that have got a frame since are no longer quiet."""
    if not any(plate.quiet for plate in plates):
        return list(plates)
    silent = work.plates.silent(now, alerting.patience, DONE_WITH)
    return [replace(plate, quiet=plate.quiet and plate.well in silent) for plate in plates]


def catch_up(
    work: UnitOfWork, due: DuePlate, alerting: Alerting, now: datetime, budget: Budget
) -> Stepped:
    """Step the rules of a plate over what is complete by now, as `stepping.step_well` does."""
    well = work.plates.well(due.well)
    plate = work.plates.of(well, alerting.rules)
    left = work.plates.names_behind(well)
    stepped = step_due(work, plate, alerting, now, budget, only=left, quiet=due.quiet)
    if left and not stepped.more:
        work.plates.caught_up(well)
    return stepped


def let_time_pass(
    work: UnitOfWork, run: str, plate: str, alerting: Alerting, now: datetime
) -> list[Message]:
    """Announce what the clock alone changes of a plate: quiet hours end, alerts grow old."""
    loaded = work.plates.load_without_frames(run, plate, alerting.names, now)
    return step_once(work, alerting.rules, loaded, None, alerting, now)


def step_monitor(
    work: UnitOfWork,
    run: str,
    observed: Sequence[tuple[AlertRule, Observation]],
    composer: Composer,
    now: datetime,
) -> tuple[Message, ...]:
    """Step rules of the monitor itself, whose subject is the whole run."""
    subject = Subject(run=run)
    before = work.plates.load_run_states(run, [rule.name for rule, _ in observed])
    acknowledged = work.alerts.acknowledged(run, None)
    after: dict[StateKey, AlertState] = {}
    messages: list[Message] = []
    for rule, observation in observed:
        key = rule.name, subject
        after[key], transition = step(
            before.states.get(key, AlertState()),
            rule,
            observation,
            acknowledged=key in acknowledged,
        )
        if transition is not None:
            message = announce(work, subject, transition, None, composer, now)
            messages += [message] if message else []
    work.plates.save_run_states(before, after)
    return tuple(messages)
