"""The facts of wells that rules step on: read from the database as it was at a time point.

Of each well its newest time point is read, and what rules remember of those before it: as much of a
long history as of a short one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.alerts.wells import Look, Past, WellFacts
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.monitoring.history import Plate
from scopewatch.monitoring.schedule import DueStep
from scopewatch.monitoring.well_facts import well_facts
from scopewatch.store.read.stepping.looks_of_wells import newest_frames, read_frames
from scopewatch.store.read.well_queries import newest_outlooks
from scopewatch.store.schema.outlook_rows import forecast_of, point_of, running_of
from scopewatch.store.schema.tables import Well
from scopewatch.store.schema.well_tables import WellEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the rules of a step remember of a well, each up to the time point it has stepped."""

    past: Mapping[RuleKind, tuple[int, Past]]

    @property
    def since(self) -> int:
        """The last time point that any of them lacks nothing of."""
        return min(last for last, _ in self.past.values())

    def split(self, looks: Sequence[tuple[int, Look]]) -> tuple[Past, tuple[Look, ...]]:
        """Return what all of them remember alike, and the time points after it."""
        until = max(last for last, _ in self.past.values())
        pasts = {
            kind: past.after(look for at, look in looks if last < at <= until)
            for kind, (last, past) in self.past.items()
        }
        return (
            Past(
                in_a_row=pasts.get(RuleKind.UNFIT_FRAMES, Past()).in_a_row,
                course=pasts.get(RuleKind.SUDDEN_CHANGE, Past()).course,
            ),
            tuple(look for at, look in looks if at > until),
        )


def gather_wells(
    session: Session,
    plate: Plate,
    due: DueStep,
    remembered: Mapping[str, Remembered],
    *,
    channel: str,
    interval_h: float,
    now: datetime,
) -> list[WellFacts]:
    """Return what is known of the wells at the time point of a step, and nothing later.

    All wells of the plate that had begun by then where they are stepped together, otherwise only
    those of the step.

    Parameters
    ----------
    remembered
        What rules of the step remember, by well of the step; nothing where none does.
    """
    names = [name for name in plate.wells if plate.joint or name in due.fresh]
    numbers = {name: plate.wells[name] for name in names}
    seen = newest_frames(
        session, [numbers[name] for name in names if name not in due.fresh], channel, due.time_point
    )
    kinds = {rule.kind for rule in due.rules}
    by_since: dict[int, list[int]] = {}
    for name in names:
        if name in due.fresh:
            since = remembered[name].since if name in remembered else due.time_point - 1
            by_since.setdefault(since, []).append(numbers[name])
    for since, wells in by_since.items():
        seen |= read_frames(
            session,
            wells,
            channel,
            (since + 1, due.time_point),
            with_measures=RuleKind.SUDDEN_CHANGE in kinds,
        )
    points = _newest_points(session, list(numbers.values()), due.time_point)
    outlooks = newest_outlooks(session, list(numbers.values()), due.time_point)
    facts = []
    for name, number in numbers.items():
        looks = []
        for time_point, frames in sorted(seen.get(number, {}).items()):
            day = 0.0
            if not frames.days:
                before = _point_before(session, number, time_point, points)
                day = _reckon(time_point, before, interval_h)
            looks.append((time_point, frames.look(day)))
        if not looks:
            continue
        past, newer = Past(), tuple(look for _, look in looks[-1:])
        if name in remembered:
            past, newer = remembered[name].split(looks)
        outlook, running = outlooks.get(number), None
        if outlook is not None:
            running = running_of(outlook, (points[number][1],))
        facts.append(
            well_facts(
                Subject(run=plate.run, plate=plate.plate, well=name),
                now,
                newer,
                past=past,
                running=running,
                forecast=None if outlook is None else forecast_of(outlook),
            )
        )
    return facts


def _newest_points(
    session: Session, wells: Sequence[int], until: int
) -> dict[int, tuple[int, WellPoint]]:
    """Return the newest judged time point of each well, and what was seen of it."""
    newest = (
        select(func.max(WellEstimate.time_point))
        .where(WellEstimate.well_id == Well.id, WellEstimate.time_point <= until)
        .correlate(Well)
        .scalar_subquery()
    )
    found = session.execute(
        select(WellEstimate)
        .join(Well, and_(Well.id == WellEstimate.well_id, WellEstimate.time_point == newest))
        .where(Well.id.in_(wells))
    )
    return {row.well_id: (row.time_point, point_of(row)) for (row,) in found}


def _point_before(
    session: Session, well: int, time_point: int, newest: Mapping[int, tuple[int, WellPoint]]
) -> tuple[int, float] | None:
    """Return the nearest judged time point before another, and its day."""
    if well not in newest:
        return None
    known, point = newest[well]
    if known < time_point:
        return known, point.day
    # A frame of it that was judged is being judged again.
    row = session.execute(
        select(WellEstimate.time_point, WellEstimate.day)
        .where(WellEstimate.well_id == well, WellEstimate.time_point < time_point)
        .order_by(WellEstimate.time_point.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.time_point, row.day)


def _reckon(time_point: int, before: tuple[int, float] | None, interval_h: float) -> float:
    """Return the day of a time point without a judged frame, from the nearest one before it."""
    if before is None:
        return time_point * interval_h / 24
    known, day = before
    return day + (time_point - known) * interval_h / 24
