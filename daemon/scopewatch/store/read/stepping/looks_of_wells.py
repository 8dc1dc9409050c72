"""What wells looked like at time points: their settled frames, read from the database."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from scopewatch.core.faults import Fault
from scopewatch.monitoring.well_facts import Seen
from scopewatch.store.schema.columns import SETTLED
from scopewatch.store.schema.tables import FrameRow, Result, Well


def read_frames(
    session: Session,
    wells: Collection[int],
    channel: str,
    between: tuple[int, int],
    *,
    with_measures: bool,
) -> dict[int, dict[int, Seen]]:
    """Return the settled frames of wells by time point, from the first to the last of `between`."""
    query = _frames(channel, with_measures=with_measures).where(
        FrameRow.well_id.in_(wells), FrameRow.time_point.between(*between)
    )
    return _gather(session.execute(query).all())


def newest_frames(
    session: Session, wells: Sequence[int], channel: str, until: int
) -> dict[int, dict[int, Seen]]:
    """Return the settled frames of each well at the newest time point that has any."""
    if not wells:
        return {}
    newest = (
        select(FrameRow.time_point)
        .where(
            FrameRow.well_id == Well.id,
            FrameRow.channel == channel,
            FrameRow.time_point <= until,
            FrameRow.state.in_(SETTLED),
        )
        .order_by(FrameRow.time_point.desc())
        .limit(1)
        .correlate(Well)
        .scalar_subquery()
    )
    query = (
        _frames(channel, with_measures=False)
        .join(Well, and_(Well.id == FrameRow.well_id, FrameRow.time_point == newest))
        .where(Well.id.in_(wells))
    )
    return _gather(session.execute(query).all())


def _frames(channel: str, *, with_measures: bool) -> Select[*tuple[Any, ...]]:
    columns: list[Any] = [
        FrameRow.well_id,
        FrameRow.time_point,
        FrameRow.fault,
        Result.day,
        Result.positive_fraction,
        *((Result.measures,) if with_measures else ()),
    ]
    return (
        select(*columns)
        .join(Result, Result.frame_id == FrameRow.id, isouter=True)
        .where(FrameRow.channel == channel, FrameRow.state.in_(SETTLED))
        .order_by(FrameRow.well_id, FrameRow.time_point, FrameRow.site)
    )


def _gather(found: Iterable[Any]) -> dict[int, dict[int, Seen]]:
    seen: dict[int, dict[int, Seen]] = {}
    for number, time_point, fault, day, positive, *measures in found:
        moment = seen.setdefault(number, {}).setdefault(time_point, Seen())
        if day is None:
            moment.faults.append(fault or Fault.FAILED)
            continue
        moment.days.append(day)
        moment.positive.append(positive)
        moment.measures += [dict(measured) for measured in measures]
    return seen
