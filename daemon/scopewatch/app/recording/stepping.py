"""Rules stepped over what is due of a plate: loaded, advanced, saved, announced."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from scopewatch.app.recording.announcing import Composer, announce
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.messages.message import Message
from scopewatch.monitoring.advance import advance
from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.history import Plate
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.schedule import Due, DueStep, due_steps
from scopewatch.store.schema.tables import Well
from scopewatch.store.unit_of_work import UnitOfWork
from scopewatch.store.write.plates import PlateInput

# Longer than any quiet hours, and than a daemon is away.
SETTLES: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """What the steps of rules need besides what is stored.

    Parameters
    ----------
    rules
        Of wells and plates.
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

    @property
    def settles_within(self) -> timedelta:
        """How long after its last frame the clock alone may still change alerts of a plate.

        An alert was raised by then: it grows old, cools down, and waits for the end of quiet hours.
        """
        longest = max((rule.escalate_after_h or 0.0 for rule in self.rules), default=0.0)
        cools = max((rule.cooldown for rule in self.rules), default=timedelta())
        return max(timedelta(hours=longest), cools) + SETTLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
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


def step_well(
    work: UnitOfWork, well: Well, alerting: Alerting, now: datetime, budget: Budget
) -> Stepped:
    """Step the rules of a well and its plate over what is complete by now, each time point once.

    A frame that arrives for a time point that was already stepped changes its estimate, but no
    alert. What the budget leaves out is left to `time_passing.catch_up`.
    """
    plate = work.plates.of(well, alerting.rules)
    stepped = step_due(work, plate, alerting, now, budget, only=(well.name,), quiet=False)
    well.behind = stepped.more
    return stepped


def step_due(
    work: UnitOfWork,
    plate: Plate,
    alerting: Alerting,
    now: datetime,
    budget: Budget,
    *,
    only: Sequence[str] | None,
    quiet: bool,
) -> Stepped:
    """Step a plate over what is due, as far as the budget goes; one step at least.

    Parameters
    ----------
    only
        The wells to step where each well is stepped by itself; None: all.
    quiet
        True when nothing is waited for.
    """
    messages: list[Message] = []
    since: int | None = None
    begun = False
    while plate.rules:
        due, until = next_due(work, plate, alerting, only=only, quiet=quiet, since=since)
        for each in due.steps:
            if begun and budget.spent:
                return Stepped(messages=tuple(messages), more=True)
            loaded = work.plates.load_step(plate, each, alerting.policy, now, budget)
            if loaded is None:
                return Stepped(messages=tuple(messages), more=True)
            messages += step_once(work, each.rules, loaded, each, alerting, now)
            begun = True
        if due.waiting or until is None:
            break
        since = until
    return Stepped(messages=tuple(messages), more=False)


def next_due(
    work: UnitOfWork,
    plate: Plate,
    alerting: Alerting,
    *,
    only: Sequence[str] | None,
    quiet: bool,
    since: int | None = None,
) -> tuple[Due, int | None]:
    """Return the next steps of a plate, and the time point after which there may be more."""
    policy = alerting.policy
    while True:
        history = work.plates.load(
            plate,
            since,
            only=only,
            channel=policy.phase_channel,
            judged_under=alerting.judged_under,
            quiet=quiet,
        )
        due = due_steps(plate, history, sites_per_well=policy.sites_per_well, quiet=quiet)
        if due.steps or due.waiting or history.until is None:
            return due, history.until
        since = history.until


def step_once(
    work: UnitOfWork,
    rules: Sequence[AlertRule],
    loaded: PlateInput,
    due: DueStep | None,
    alerting: Alerting,
    now: datetime,
) -> list[Message]:
    """Advance a plate by one step, save the states of its rules, and announce what changed.

    Parameters
    ----------
    due
        The step; None where the clock alone changes something.
    """
    subject = loaded.facts.subject
    acknowledged = work.alerts.acknowledged(subject.run, subject.plate)
    update = advance(rules, loaded.states.states, loaded.facts, due, acknowledged=acknowledged)
    work.plates.save(loaded.states, update, rules)
    time_point = None if due is None else due.time_point
    messages = [
        announce(work, changed, transition, time_point, alerting.composer, now)
        for changed, transition in update.transitions
    ]
    return [message for message in messages if message is not None]
