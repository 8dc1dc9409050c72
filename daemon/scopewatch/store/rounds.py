"""Which time points the rules may step over by now: a well's own, or a plate's as a whole.

Where a rule looks at a whole plate, its wells are stepped together, so that what befalls all of
them is told once. Otherwise each well goes by itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from scopewatch.core.alert_rule import AlertRule, RuleKind
from scopewatch.store.alert_tables import RuleState
from scopewatch.store.columns import ASIDE, SCORED, FrameState
from scopewatch.store.tables import FrameRow, Well

# A rule of these kinds needs to see the plate's other wells at the same moment.
JOINT = (RuleKind.PLATE_COLLAPSE, RuleKind.OUTLIER_WELL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A plate of a run with its wells (number by name), and the rules that speak of them."""

    experiment: str
    plate: str
    wells: Mapping[str, int]
    rules: tuple[AlertRule, ...]

    @property
    def joint(self) -> bool:
        """Whether the wells are stepped together."""
        return any(rule.kind in JOINT for rule in self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One step over one time point.

    Parameters
    ----------
    rules
        Those that step; rules that are new catch up in rounds of their own.
    fresh
        The wells whose time point is stepped.
    whole
        Whether the plate is looked at as a whole.
    """

    time_point: int
    rules: tuple[AlertRule, ...]
    fresh: frozenset[str]
    whole: bool


def plate_of(session: Session, well: Well, rules: Sequence[AlertRule]) -> Plate:
    """Return the plate of a well with the rules of wells and plates that speak of it."""
    experiment = well.run.name
    wells = session.execute(
        select(Well.name, Well.id).where(Well.run_id == well.run_id, Well.plate == well.plate)
    )
    speaking = tuple(
        rule
        for rule in rules
        if not rule.kind.of_the_monitor and rule.covers(experiment, well.plate)
    )
    return Plate(
        experiment=experiment,
        plate=well.plate,
        wells=dict(iter(wells)),
        rules=speaking,
    )


def rounds_of(
    session: Session,
    plate: Plate,
    *,
    only: str | None,
    channel: str,
    sites_per_well: int,
    judged_under: Collection[str],
    quiet: bool,
) -> Iterator[Round]:
    """Yield what is to be stepped by now, by time point; each is stepped before the next.

    A well's time point is complete when all its sites are settled, or when a later one has begun.
    A plate's is complete when those of all wells are that came along so far, or when a later one
    has begun. The first of all waits for the second: only then is it known which wells there are.

    Parameters
    ----------
    only
        The well to look at where wells go by themselves.
    judged_under
        What is judged under now. What was quarantined under anything else is still to be tried, so
        that nothing is said of it yet.
    quiet
        True when no frame of the plate came for long: nothing more is waited for.
    """
    lasts = {
        (rule, well): last
        for rule, well, last in session.execute(
            select(RuleState.rule, RuleState.well, RuleState.last_time_point).where(
                RuleState.experiment == plate.experiment, RuleState.plate == plate.plate
            )
        )
    }
    single = {
        name: [
            rule
            for rule in plate.rules
            if rule.kind.of_a_well and rule.covers(plate.experiment, plate.plate, name)
        ]
        for name in plate.wells
        if plate.joint or name == only
    }
    behind = {
        name: min((lasts.get((rule.name, name), -1) for rule in rules), default=None)
        for name, rules in single.items()
    }
    newest, first = _begun(session, plate, channel)
    pending, untried = _pending(session, plate, channel, newest, behind, judged_under)
    top = max(newest.values(), default=-1)

    def complete(name: str, time_point: int) -> bool:
        if newest[name] != time_point:
            return newest[name] > time_point
        return pending.get((name, time_point), sites_per_well) >= sites_per_well

    def whole(time_point: int) -> bool:
        if quiet:
            return True
        if time_point in untried:
            return False
        if time_point < top:
            return True
        along = [name for name in newest if newest[name] >= time_point - 1]
        return time_point > first and all(complete(name, time_point) for name in along)

    looked = max(
        (lasts.get((rule.name, ""), -1) for rule in plate.rules if rule.kind.of_a_plate),
        default=-1,
    )
    for time_point in sorted({moment for _, moment in pending}):
        if plate.joint and not whole(time_point):
            return
        groups: dict[frozenset[str], list[AlertRule]] = {}
        # Of a time point whose frames are all still in hand nothing can be said.
        ready = [
            name
            for (name, moment), settled in pending.items()
            if moment == time_point and settled > 0 and (quiet or complete(name, moment))
        ]
        for rule in plate.rules:
            fresh = frozenset(
                name
                for name in ready
                if rule in single[name] and lasts.get((rule.name, name), -1) < time_point
            )
            if fresh:
                groups.setdefault(fresh, []).append(rule)
        for fresh, rules in sorted(groups.items(), key=lambda group: -len(group[0])):
            collapses = [rule for rule in plate.rules if rule.kind.of_a_plate]
            yield Round(
                time_point=time_point,
                rules=(*rules, *collapses),
                fresh=fresh,
                whole=looked < time_point,
            )
            looked = max(looked, time_point)


def _begun(session: Session, plate: Plate, channel: str) -> tuple[dict[str, int], int]:
    """Return the newest time point of each well that has any, and the plate's first one."""
    found = session.execute(
        select(FrameRow.well_id, func.max(FrameRow.time_point), func.min(FrameRow.time_point))
        .where(
            FrameRow.well_id.in_(plate.wells.values()),
            FrameRow.channel == channel,
            FrameRow.state.not_in(ASIDE),
        )
        .group_by(FrameRow.well_id)
    ).all()
    names = {number: name for name, number in plate.wells.items()}
    newest = {names[number]: last for number, last, _ in found}
    return newest, min((first for *_, first in found), default=0)


def _pending(
    session: Session,
    plate: Plate,
    channel: str,
    newest: Mapping[str, int],
    behind: Mapping[str, int | None],
    judged_under: Collection[str],
) -> tuple[dict[tuple[str, int], int], set[int]]:
    """Return how many frames are settled of each well's time points that are not stepped yet.

    And at which of these time points frames are to be tried again.
    """
    lags = {
        name: last
        for name, last in behind.items()
        if last is not None and name in newest and newest[name] > last
    }
    if not lags:
        return {}, set()
    names = {plate.wells[name]: name for name in lags}
    quarantined = FrameRow.state == FrameState.QUARANTINED
    stands = FrameRow.judged_under.in_(sorted(judged_under))
    settled = or_(FrameRow.state.in_(SCORED), and_(quarantined, stands))
    found = session.execute(
        select(
            FrameRow.well_id,
            FrameRow.time_point,
            func.sum(case((settled, 1), else_=0)),
            func.sum(case((and_(quarantined, ~stands), 1), else_=0)),
        )
        .where(
            # A plate that is looked at as a whole waits for wells that have stepped, too.
            FrameRow.well_id.in_(plate.wells.values() if plate.joint else names),
            FrameRow.channel == channel,
            FrameRow.state.not_in(ASIDE),
            FrameRow.time_point > min(lags.values()),
        )
        .group_by(FrameRow.well_id, FrameRow.time_point)
    )
    pending: dict[tuple[str, int], int] = {}
    untried: set[int] = set()
    for number, time_point, count, again in found:
        if again:
            untried.add(time_point)
        if number in names and time_point > lags[names[number]]:
            pending[names[number], time_point] = count
    return pending, untried
