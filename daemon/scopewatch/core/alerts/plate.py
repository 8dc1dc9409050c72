"""Steps all rules of a plate together, so that trouble of the whole plate is one alert.

Single-well alerts are held until the plate was looked at: where most of its wells fail at once,
the plate's alert names them all and theirs stay held; otherwise each is reported by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scopewatch.core.alerts.observation import Evidence, Observation, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.scope import well_order
from scopewatch.core.alerts.state_machine import AlertState, Transition, step
from scopewatch.core.alerts.wells import WellFacts, observe_well

# On fewer wells a few weak ones are no collapse.
FEWEST_WELLS: Final = 6
# What counts as failing; an outlier differs from the others, so it is not among them.
FAILING: Final = frozenset(
    {
        RuleKind.WEAK_FORECAST,
        RuleKind.WEAK_NOW,
        RuleKind.SUDDEN_CHANGE,
        RuleKind.UNFIT_FRAMES,
    }
)

WEAK: Final = frozenset({RuleKind.WEAK_FORECAST, RuleKind.WEAK_NOW})

# Which rule (by name) and subject a state belongs to.
StateKey = tuple[str, Subject]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateFacts:
    """The facts of a plate when all its wells have a time point.

    Parameters
    ----------
    subject
        The plate.
    at, day
        When it became known (aware UTC), and the day of the run of the newest frame.
    wells
        All its wells.
    fresh
        Names of the wells that have a time point not yet stepped; for the others time goes by.
    whole
        False where single wells catch up on a time point that the plate was looked at before:
        then time goes by for the rules of plates.
    """

    subject: Subject
    at: datetime
    day: float
    wells: tuple[WellFacts, ...]
    fresh: frozenset[str]
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateStep:
    """The states after a round (given and changed ones), and the transitions to report.

    The plate's own transitions come first, then the wells' in the order of the plate.
    """

    states: dict[StateKey, AlertState]
    transitions: tuple[tuple[Subject, Transition], ...]


def step_plate(
    rules: Sequence[AlertRule],
    states: Mapping[StateKey, AlertState],
    facts: PlateFacts,
    *,
    acknowledged: Collection[StateKey] = (),
) -> PlateStep:
    """Step all rules of wells and plates over one plate: once per complete round, or as a tick.

    A tick (quiet hours end, a cooldown ends, an alert grows old) is the same call with no fresh
    well. Rules of the monitor are passed over.

    Parameters
    ----------
    states
        The state of each rule for each subject; a missing one is new.
    acknowledged
        Alerts that a person has seen.
    """
    after = dict(states)
    notified: list[tuple[Subject, Transition]] = []

    def advance(rule: AlertRule, subject: Subject, observation: Observation, *, hold: bool) -> None:
        key = (rule.name, subject)
        after[key], transition = step(
            after.get(key, AlertState()),
            rule,
            observation,
            hold=hold,
            acknowledged=key in acknowledged,
        )
        if transition is not None:
            notified.append((subject, transition))

    wells = sorted(facts.wells, key=lambda well: well_order(well.well))
    single = [
        (rule, well)
        for well in wells
        for rule in rules
        if rule.kind.of_a_well and well.subject.covered_by(rule)
    ]
    for rule, well in single:
        fresh = well.well in facts.fresh
        seen = observe_well(rule, well, wells) if fresh else _tick(facts.at)
        advance(rule, well.subject, seen, hold=True)
    resolved, notified = notified, []
    collapses = [rule for rule in rules if rule.kind.of_a_plate and facts.subject.covered_by(rule)]
    for rule in collapses:
        advance(rule, facts.subject, _look_at_plate(rule, rules, after, facts), hold=False)
    # Wells that catch up come one after the other: they wait for the next tick, by which it shows
    # whether the whole plate is so.
    catching_up = bool(facts.fresh) and not facts.whole and bool(collapses)
    for rule, well in single:
        advance(
            rule,
            well.subject,
            _tick(facts.at),
            hold=_spoken_for(rule, well.subject, facts.subject, collapses, after)
            or (catching_up and rule.kind is RuleKind.UNFIT_FRAMES),
        )
    return PlateStep(states=after, transitions=(*notified, *resolved))


def plate_collapse(
    rule: AlertRule,
    rules: Sequence[AlertRule],
    states: Mapping[StateKey, AlertState],
    facts: PlateFacts,
) -> Observation:
    """Score: share of the wells that fail and were not reported one by one before.

    None on a plate of fewer than six wells. To be weak, now or in the forecast, is one trouble.
    Wells whose frames cannot be judged count even if an alert named them before: where wells come
    in one after the other, as they do from a stack of each position, no alert would name them
    together. The evidence names all wells that fail, and its `measures` count them by kind of rule.
    """
    wells = [well for well in facts.wells if well.subject.covered_by(rule)]
    troubles: dict[str, set[str]] = {}
    notified: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    for other in rules:
        if other.kind not in (rule.speaks_for or FAILING):
            continue
        # A well that one rule forecast as weak is no news when another rule finds it weak.
        trouble = "weak" if other.kind in WEAK else other.kind.value
        for well in wells:
            state = states.get((other.name, well.subject))
            if state is None or not state.raised:
                continue
            troubles.setdefault(trouble, set()).add(well.well)
            kinds.setdefault(other.kind.value, set()).add(well.well)
            if state.notified is not None and other.kind is not RuleKind.UNFIT_FRAMES:
                notified.setdefault(trouble, set()).add(well.well)
    failing = set().union(*troubles.values())
    news = set().union(
        *(names - notified.get(trouble, set()) for trouble, names in troubles.items())
    )
    return Observation(
        at=facts.at,
        day=facts.day,
        score=len(news) / len(wells) if len(wells) >= FEWEST_WELLS else None,
        evidence=Evidence(
            target=rule.target,
            wells=tuple(sorted(failing, key=well_order)),
            out_of=len(wells),
            measures={kind: float(len(names)) for kind, names in sorted(kinds.items())},
        ),
    )


def _look_at_plate(
    rule: AlertRule,
    rules: Sequence[AlertRule],
    states: Mapping[StateKey, AlertState],
    facts: PlateFacts,
) -> Observation:
    """Return the observation of a rule of plates; none where no well has anything new.

    Where single wells catch up, only that more of them cannot be judged is news of the plate.
    """
    if not facts.fresh:
        return _tick(facts.at)
    if facts.whole:
        return plate_collapse(rule, rules, states, facts)
    unfit = [each for each in rules if each.kind is RuleKind.UNFIT_FRAMES]
    seen = plate_collapse(rule, unfit, states, facts)
    most = seen.score is not None and seen.score > rule.raise_above
    return seen if most else _tick(facts.at)


def _spoken_for(
    rule: AlertRule,
    well: Subject,
    plate: Subject,
    collapses: Sequence[AlertRule],
    states: Mapping[StateKey, AlertState],
) -> bool:
    """Return whether an open alert of the plate covers this well."""
    return any(
        states[collapse.name, plate].raised and well.covered_by(collapse)
        for collapse in collapses
        if rule.kind in (collapse.speaks_for or FAILING)
    )


def _tick(at: datetime) -> Observation:
    return Observation(at=at, score=None)
