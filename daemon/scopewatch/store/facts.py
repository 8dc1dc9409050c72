"""What the rules are told of wells: read from the database as it stood at a time point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.alert import Subject
from scopewatch.core.alert_rule import RuleKind
from scopewatch.core.alert_wells import Look, WellFacts
from scopewatch.core.running import WellPoint
from scopewatch.store.columns import SETTLED
from scopewatch.store.outlooks import forecast_of, point_of, running_of
from scopewatch.store.rounds import Plate, Round
from scopewatch.store.tables import FrameRow, Result
from scopewatch.store.well_queries import newest_outlooks
from scopewatch.store.well_tables import WellEstimate


@dataclass(slots=True)
class _Seen:
    """The frames of one well at one time point, while they are gathered."""

    faults: list[str] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    positive: list[float] = field(default_factory=list)
    measures: list[Mapping[str, float]] = field(default_factory=list)

    def look(self, reckoned_day: float) -> Look:
        """Return their mean; where none was judged, its fault and the day it must have been."""
        if not self.days:
            return Look(day=reckoned_day, fault=min(self.faults))
        return Look(
            day=max(self.days),
            measures=_mean(self.measures),
            positive=sum(self.positive) / len(self.positive),
        )


def gather_wells(
    session: Session,
    plate: Plate,
    step: Round,
    *,
    channel: str,
    interval_h: float,
    now: datetime,
) -> list[WellFacts]:
    """Return what is known of the wells at a round's time point, and nothing later.

    All wells of the plate that had begun by then where they are stepped together, otherwise only
    those of the round.
    """
    names = [name for name in plate.wells if plate.joint or name in step.fresh]
    ids = [plate.wells[name] for name in names]
    points = _points(session, ids, step.time_point)
    outlooks = newest_outlooks(session, ids, step.time_point)
    with_measures = any(rule.kind is RuleKind.SUDDEN_CHANGE for rule in step.rules)
    seen = _frames(session, ids, channel, step.time_point, with_measures=with_measures)
    facts = []
    for name in names:
        number = plate.wells[name]
        days = points.get(number, {})
        looks = tuple(
            shown.look(_reckon(time_point, days, interval_h))
            for time_point, shown in sorted(seen.get(number, {}).items())
        )
        if not looks:
            continue
        outlook = outlooks.get(number)
        running = None
        if outlook is not None:
            running = running_of(outlook, tuple(days.values()))
        facts.append(
            WellFacts(
                subject=Subject(experiment=plate.experiment, plate=plate.plate, well=name),
                at=now,
                day=looks[-1].day,
                looks=looks,
                running=running,
                forecast=None if outlook is None else forecast_of(outlook),
            )
        )
    return facts


def _points(session: Session, ids: Sequence[int], until: int) -> dict[int, dict[int, WellPoint]]:
    points: dict[int, dict[int, WellPoint]] = {}
    for row in session.scalars(
        select(WellEstimate)
        .where(WellEstimate.well_id.in_(ids), WellEstimate.time_point <= until)
        .order_by(WellEstimate.time_point)
    ):
        points.setdefault(row.well_id, {})[row.time_point] = point_of(row)
    return points


def _frames(
    session: Session, ids: Sequence[int], channel: str, until: int, *, with_measures: bool
) -> dict[int, dict[int, _Seen]]:
    columns = [
        FrameRow.well_id,
        FrameRow.time_point,
        FrameRow.fault,
        Result.day,
        Result.positive_fraction,
        *((Result.measures,) if with_measures else ()),
    ]
    found = session.execute(
        select(*columns)
        .join(Result, Result.frame_id == FrameRow.id, isouter=True)
        .where(
            FrameRow.well_id.in_(ids),
            FrameRow.channel == channel,
            FrameRow.time_point <= until,
            FrameRow.state.in_(SETTLED),
        )
        .order_by(FrameRow.well_id, FrameRow.time_point, FrameRow.site)
    )
    seen: dict[int, dict[int, _Seen]] = {}
    for number, time_point, fault, day, positive, *measures in found:
        moment = seen.setdefault(number, {}).setdefault(time_point, _Seen())
        if day is None:
            moment.faults.append(fault or "failed")
            continue
        moment.days.append(day)
        moment.positive.append(positive)
        moment.measures += [dict(measured) for measured in measures]
    return seen


def _mean(measures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each measure over the sites that have it."""
    names = {name for measured in measures for name in measured}
    means = {}
    for name in sorted(names):
        values = [measured[name] for measured in measures if name in measured]
        means[name] = sum(values) / len(values)
    return means


def _reckon(time_point: int, points: Mapping[int, WellPoint], interval_h: float) -> float:
    """Return the day of a time point without a judged frame, from the nearest one before it."""
    before = max((moment for moment in points if moment < time_point), default=None)
    if before is None:
        return time_point * interval_h / 24
    return points[before].day + (time_point - before) * interval_h / 24
