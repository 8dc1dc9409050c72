"""Rules stepped over what is due of a plate, all within the caller's transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from scopewatch.core.alerts.plate import PlateFacts
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import Subject
from scopewatch.messages.alert_message import Message
from scopewatch.monitoring.advance import advance
from scopewatch.monitoring.history import Plate
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.schedule import Due, DueStep, due_steps
from scopewatch.store.read.plate_history import load_history
from scopewatch.store.read.well_history import gather_wells
from scopewatch.store.write.budget import Budget
from scopewatch.store.write.rules.announcing import Composer, acknowledged_alerts, announce
from scopewatch.store.write.rules.rule_memory import recall
from scopewatch.store.write.rules.rule_states import States, read_states, write_states


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What alerting needs to know besides the well.

    Parameters
    ----------
    rules
        Of wells and plates; those of the monitor are passed over.
    judged_under
        What is judged under now: what was quarantined under anything else is still to be tried.
    """

    rules: Sequence[AlertRule]
    composer: Composer
    policy: RunPolicy
    judged_under: Collection[str]

    @property
    def names(self) -> list[str]:
        """Names of the rules."""
        return [rule.name for rule in self.rules]

    @property
    def patience(self) -> timedelta:
        """How long a plate's missing frame is waited for after its last one."""
        return self.policy.patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a batch of steps has changed.

    Parameters
    ----------
    messages
        Of what changed, those of snoozed alerts left out.
    more
        Whether time points are left that could be stepped by now.
    """

    messages: tuple[Message, ...]
    more: bool


def step_due(
    session: Session,
    plate: Plate,
    alarm: Alarm,
    now: datetime,
    budget: Budget,
    *,
    only: Sequence[str] | None,
    quiet: bool,
) -> Told:
    """Step a plate over what is due, as far as the budget goes; one step at least.

    Parameters
    ----------
    only
        The wells to step where wells go by themselves; None: all.
    quiet
        True when nothing is waited for.
    """
    messages: list[Message] = []
    after: int | None = None
    begun = False
    while plate.rules:
        due, until = next_due(session, plate, alarm, only=only, quiet=quiet, after=after)
        for each in due.steps:
            if begun and budget.spent:
                return Told(messages=tuple(messages), more=True)
            told = _step_one(session, plate, each, alarm, now, budget)
            if told is None:
                return Told(messages=tuple(messages), more=True)
            messages += told
            begun = True
        if due.waiting or until is None:
            break
        after = until
    return Told(messages=tuple(messages), more=False)


def next_due(
    session: Session,
    plate: Plate,
    alarm: Alarm,
    *,
    only: Sequence[str] | None,
    quiet: bool,
    after: int | None = None,
) -> tuple[Due, int | None]:
    """Return the next steps of a plate, and the time point after which there may be more."""
    while True:
        history = load_history(
            session,
            plate,
            only=only,
            channel=alarm.policy.phase_channel,
            judged_under=alarm.judged_under,
            quiet=quiet,
            after=after,
        )
        due = due_steps(plate, history, sites_per_well=alarm.policy.sites_per_well, quiet=quiet)
        if due.steps or due.waiting or history.until is None:
            return due, history.until
        after = history.until


def _step_one(
    session: Session,
    plate: Plate,
    due: DueStep,
    alarm: Alarm,
    now: datetime,
    budget: Budget,
) -> list[Message] | None:
    """Take one step; None where the budget was spent before it could be taken."""
    states = read_states(
        session,
        plate.experiment,
        plate.plate,
        [rule.name for rule in due.rules],
        None if plate.joint else due.fresh,
    )
    remembered = recall(session, plate, due, states, alarm.policy.phase_channel, budget)
    if remembered is None:
        return None
    wells = gather_wells(
        session,
        plate,
        due,
        remembered,
        channel=alarm.policy.phase_channel,
        interval_h=alarm.policy.interval_h,
        now=now,
    )
    facts = PlateFacts(
        subject=Subject(experiment=plate.experiment, plate=plate.plate),
        at=now,
        day=max(well.day for well in wells if well.well in due.fresh),
        wells=tuple(wells),
        fresh=due.fresh,
        whole=due.whole,
    )
    return step_once(session, due.rules, states, facts, due, alarm, now)


def step_once(
    session: Session,
    rules: Sequence[AlertRule],
    before: States,
    facts: PlateFacts,
    due: DueStep | None,
    alarm: Alarm,
    now: datetime,
) -> list[Message]:
    """Step a plate, write where its rules stand, and announce what changed."""
    experiment, plate = facts.subject.experiment, facts.subject.plate
    seen = acknowledged_alerts(session, experiment, plate)
    update = advance(rules, before.states, facts, due, acknowledged=seen)
    write_states(session, before, update.states, update.stepped, update.pasts, rules)
    messages = []
    for subject, transition in update.transitions:
        time_point = None if due is None else due.time_point
        told = announce(session, subject, transition, time_point, alarm.composer, now)
        messages += [told] if told else []
    return messages
