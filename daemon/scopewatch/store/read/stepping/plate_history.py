"""What rules may still step over of a plate: read for a few time points at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.monitoring.history import (
    NO_TIME_POINT,
    Plate,
    PlateHistory,
    lags,
    must_wait,
    stepped_by_all,
)
from scopewatch.store.read.journal import dead_places
from scopewatch.store.read.stepping.plate_statements import (
    first_and_newest,
    last_steps,
    next_after,
    oldest_steps,
    settled_frames,
    wells_of_plate,
)
from scopewatch.store.schema.tables import Well

# Time points that are read at once: however many are behind, no more rows are held than of these.
WINDOW: Final = 8


def plate_of(session: Session, well: Well, rules: Sequence[AlertRule]) -> Plate:
    """Return the plate of a well with the rules of wells and plates that speak of it."""
    run = well.run.name
    wells = session.execute(wells_of_plate(), {"run": well.run_id, "plate": well.plate})
    speaking = tuple(
        rule for rule in rules if not rule.kind.of_the_monitor and rule.covers(run, well.plate)
    )
    return Plate(
        run=run,
        plate=well.plate,
        wells=dict(iter(wells)),
        rules=speaking,
    )


def load_history(
    session: Session,
    plate: Plate,
    *,
    only: Sequence[str] | None,
    channel: str,
    judged_under: Collection[str],
    quiet: bool,
    after: int | None = None,
) -> PlateHistory:
    """Read the next few time points that some rule has not stepped over.

    Parameters
    ----------
    only
        The wells to look at where wells go by themselves; None: all.
    judged_under
        What is judged under now. What was quarantined under anything else is still to be tried.
    quiet
        True when nothing is waited for.
    after
        Only later time points than this one.
    """
    wells = tuple(plate.wells if plate.joint or only is None else only)
    newest, first = _begun(session, plate, wells, channel)
    lasts = _lasts(session, plate, wells) if _names_wells(plate) else None
    stepped = _stepped(session, plate, wells, lasts)
    behind = {
        name: last if after is None else max(last, after)
        for name, last in lags(stepped, newest).items()
    }
    known = PlateHistory(
        wells=wells,
        lasts={},
        newest=newest,
        first=first,
        settled={},
        untried=frozenset(),
        until=None,
    )
    if not behind:
        return known
    dead = _dead(session, plate) if plate.joint else frozenset()
    awaited = {name: last for name, last in newest.items() if name not in dead}
    if plate.joint and not quiet and must_wait(awaited, behind):
        return known
    begins = _first_pending(session, plate, behind, channel)
    if begins is None:
        return known
    until = begins + WINDOW - 1
    # A plate that is looked at as a whole waits for wells that have stepped, too.
    looked_at = wells if plate.joint else tuple(behind)
    settled, untried = _pending(
        session, plate, looked_at, channel, behind, judged_under, (begins, until)
    )
    return replace(
        known,
        lasts=_lasts(session, plate, wells) if lasts is None else lasts,
        settled=settled,
        untried=untried,
        dead=dead,
        until=until if until < max(newest[name] for name in behind) else None,
    )


def _dead(session: Session, plate: Plate) -> frozenset[str]:
    """Return the wells of a plate that are marked dead."""
    dead = dead_places(session, plate.run)
    return frozenset(well for name, well in dead if name == plate.plate)


def _names_wells(plate: Plate) -> bool:
    """Whether a rule speaks of some wells only, so that each well has rules of its own."""
    return any(rule.wells for rule in plate.rules if rule.kind.of_a_well)


def _stepped(
    session: Session,
    plate: Plate,
    wells: Sequence[str],
    lasts: Mapping[tuple[str, str], int] | None,
) -> dict[str, int | None]:
    """Return the time point up to which all rules of each well have stepped.

    Parameters
    ----------
    lasts
        The last step of each rule; None where a count of the rules is enough.
    """
    rules = [rule for rule in plate.rules if rule.kind.of_a_well]
    if lasts is not None:
        return {name: stepped_by_all(plate, lasts, name) for name in wells}
    named = {
        "experiment": plate.run,
        "plate": plate.plate,
        "wells": wells,
        "rules": [rule.name for rule in rules],
    }
    oldest = {
        name: last
        for name, count, last in session.execute(oldest_steps(), named)
        if count == len(rules)
    }
    return {name: oldest.get(name, NO_TIME_POINT) if rules else None for name in wells}


def _lasts(session: Session, plate: Plate, wells: Sequence[str]) -> dict[tuple[str, str], int]:
    named = {"experiment": plate.run, "plate": plate.plate, "wells": ("", *wells)}
    return {(rule, well): last for rule, well, last in session.execute(last_steps(), named)}


def _begun(
    session: Session, plate: Plate, wells: Sequence[str], channel: str
) -> tuple[dict[str, int], int]:
    """Return the newest time point of each well that has any, and the first of them all."""
    numbers = [plate.wells[name] for name in wells]
    found = session.execute(first_and_newest(), {"wells": numbers, "channel": channel}).all()
    newest = {name: last for name, _, last in found if last is not None}
    return newest, min((first for _, first, _ in found if first is not None), default=0)


def _first_pending(
    session: Session, plate: Plate, behind: Mapping[str, int], channel: str
) -> int | None:
    """Return the first time point of any well that is behind."""
    by_last: dict[int, list[int]] = {}
    for name, last in behind.items():
        by_last.setdefault(last, []).append(plate.wells[name])
    firsts: list[int] = []
    for last, numbers in by_last.items():
        asked = {"wells": numbers, "channel": channel, "last": last}
        firsts += [each for each in session.scalars(next_after(), asked) if each is not None]
    return min(firsts, default=None)


def _pending(
    session: Session,
    plate: Plate,
    wells: Sequence[str],
    channel: str,
    behind: Mapping[str, int],
    judged_under: Collection[str],
    window: tuple[int, int],
) -> tuple[dict[tuple[str, int], int], frozenset[int]]:
    """Return how many frames are settled of each well's time points that are not stepped yet.

    And at which of these time points frames are to be tried again.
    """
    first, last = window
    asked = {
        "wells": [plate.wells[name] for name in wells],
        "channel": channel,
        "first": first,
        "last": last,
        "judged_under": sorted(judged_under),
    }
    names = {number: name for name, number in plate.wells.items()}
    pending: dict[tuple[str, int], int] = {}
    untried: set[int] = set()
    for number, time_point, count, again in session.execute(settled_frames(), asked):
        name = names[number]
        if again:
            untried.add(time_point)
        if name in behind and time_point > behind[name]:
            pending[name, time_point] = count
    return pending, frozenset(untried)
