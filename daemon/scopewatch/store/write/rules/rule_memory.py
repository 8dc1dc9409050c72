"""What rules remember of wells: stored beside their states, or worked out again."""

from collections.abc import Mapping
from itertools import groupby

from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.wells import REMEMBERING, Look, Past
from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.history import NO_TIME_POINT, Plate
from scopewatch.monitoring.schedule import DueStep
from scopewatch.store.read.stepping.looks_of_wells import read_frames
from scopewatch.store.read.stepping.rule_states import States
from scopewatch.store.read.stepping.well_history import Remembered
from scopewatch.store.write.rules.rule_states import keep_past


def recall(
    session: Session, plate: Plate, due: DueStep, states: States, channel: str, budget: Budget
) -> Mapping[str, Remembered] | None:
    """Return what the rules of a step remember of each of its wells.

    It has to be worked out from all time points of a well after an update, and where an earlier
    one was judged late or again.

    Returns
    -------
    None where the budget was spent before all of it was made; what was made is kept.
    """
    rules = {rule.name: rule for rule in due.rules if rule.kind in REMEMBERING}
    keys = [
        (name, _subject(plate, well))
        for well in sorted(due.fresh)
        for name, rule in rules.items()
        if rule.covers(plate.run, plate.plate, well)
    ]
    pasts = {key: states.past(key, rules[key[0]].kind) for key in keys}
    missing = [key for key in keys if pasts[key] is None]
    for subject, group in groupby(missing, key=lambda key: key[1]):
        if budget.spent and subject != missing[0][1]:
            return None
        pasts |= _make(session, plate, subject, list(group), rules, states, channel)
    remembered: dict[str, dict[RuleKind, tuple[int, Past]]] = {}
    for key in keys:
        kind, past = rules[key[0]].kind, pasts[key]
        known = remembered.setdefault(key[1].well or "", {})
        # Where several rules of a kind remember, the one that has come furthest.
        if past is not None and (kind not in known or known[kind][0] < states.last(key)):
            known[kind] = states.last(key), past
    return {well: Remembered(past=known) for well, known in remembered.items()}


def _make(
    session: Session,
    plate: Plate,
    subject: Subject,
    keys: list[StateKey],
    rules: Mapping[str, AlertRule],
    states: States,
    channel: str,
) -> dict[StateKey, Past]:
    number = plate.wells[subject.well or ""]
    until = max(states.last(key) for key in keys)
    frames = read_frames(
        session, [number], channel, (NO_TIME_POINT, until), with_measures=True
    ).get(number, {})
    # Of the days nothing is remembered.
    looks: list[tuple[int, Look]] = [(at, seen.look(0.0)) for at, seen in sorted(frames.items())]
    made = {}
    for key in keys:
        last = states.last(key)
        made[key] = Past().after(look for at, look in looks if at <= last)
        keep_past(session, key, last, rules[key[0]].kind, made[key])
    return made


def _subject(plate: Plate, well: str) -> Subject:
    return Subject(run=plate.run, plate=plate.plate, well=well)
