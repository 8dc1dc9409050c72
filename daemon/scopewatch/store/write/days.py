"""The day of the differentiation run on which a frame was taken.

Day 0 is `policy.started_at`, or else the run's first frame. Files may arrive in any order,
so an earlier frame than the first one known moves day 0, and with it the days that are counted from
it. Those that count from the run's start by themselves (`elapsed_s`) stay, and move nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.moment import Moment
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.schema.tables import FrameRow, Result, Run, Well
from scopewatch.store.schema.well_tables import FluorescenceRow, WellEstimate

log = get_logger(__name__)

_DAY_S = 86_400.0
# Otherwise SQLAlchemy reads the key of each row first, to find those that the session holds.
_IN_THE_DATABASE: Mapping[str, Any] = MappingProxyType({"synchronize_session": False})
Dated = type[Result] | type[FluorescenceRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a frame is placed by.

    Parameters
    ----------
    seen_at
        When the ledger first saw it.
    """

    key: FrameKey
    moment: Moment
    seen_at: datetime

    @property
    def at(self) -> datetime | None:
        """The time of day it is placed by; None where the time since the start places it.

        The time when it was first seen counts only where nothing else is known: a frame that has
        an index may be found days later.
        """
        if self.moment.acquired_at is not None:
            return self.moment.acquired_at
        return self.seen_at if self.moment.elapsed_s is None else None


def day_of(taken: Taken, policy: RunPolicy, first_frame_at: datetime | None) -> float:
    """Return the day, fractional; negative before a configured start."""
    if policy.day_from == "time_point":
        return taken.key.time_point * policy.interval_h / 24
    if taken.at is None:
        return (taken.moment.elapsed_s or 0.0) / _DAY_S
    origin = policy.started_at or min(first_frame_at or taken.at, taken.at)
    return (taken.at - origin).total_seconds() / _DAY_S


def day_without_run(
    key: FrameKey, moment: Moment, policy: RunPolicy, seen_at: datetime
) -> float | None:
    """Return the day where it follows from the frame and the settings alone.

    None where the run's first frame counts, or when the ledger first saw this one.
    """
    by_start = policy.started_at is not None or moment.acquired_at is None
    if policy.day_from == "time_point" or (moment.known and by_start):
        return day_of(Taken(key=key, moment=moment, seen_at=seen_at), policy, None)
    return None


def warn_if_early(key: FrameKey, moment: Moment, day: float) -> None:
    """Log that a frame was taken before the run started."""
    if day < 0:
        log.warning(
            "frame was taken before the run started",
            key=str(key),
            taken_at=moment.acquired_at,
            day=round(day, 2),
        )


def set_start(session: Session, run: Run, policy: RunPolicy) -> bool:
    """Take over a start that was configured, or corrected, while the run went on.

    Returns
    -------
    Whether day 0 moved: then what follows from days has to be worked out again.
    """
    if run.started_at == policy.started_at:
        return False
    before = run.started_at or run.first_frame_at
    run.started_at = policy.started_at
    return _shift(session, run, before, run.started_at or run.first_frame_at, policy)


def note_frame(session: Session, run: Run, taken: Taken, policy: RunPolicy) -> bool:
    """Take note of a frame's time: the earliest one is day 0 unless a start is configured.

    Returns
    -------
    Whether day 0 moved.
    """
    first = first_with(session, run, taken, policy)
    if first is None or first == run.first_frame_at:
        return False
    return _set_first(session, run, first, policy)


def first_with(session: Session, run: Run, taken: Taken, policy: RunPolicy) -> datetime | None:
    """Return when the run's first frame was taken once this one is known; None: unknown."""
    if taken.at is None:
        return run.first_frame_at
    if run.first_frame_at is not None:
        return min(run.first_frame_at, taken.at)
    if not _some_by_elapsed(session, run):
        return taken.at
    # The first of which the time of day is known need not be the run's first: it is as long after
    # the start as the others count.
    elapsed_s = taken.moment.elapsed_s
    if elapsed_s is None:
        elapsed_s = taken.key.time_point * policy.interval_h * 3600
    return taken.at - timedelta(seconds=elapsed_s)


def find_first(session: Session, run: Run, policy: RunPolicy) -> bool:
    """Look for the run's first frame again, where the time of the known one was corrected.

    Returns
    -------
    Whether day 0 moved.
    """
    firsts = [
        session.scalars(
            select(moment)
            .select_from(kind)
            .join(FrameRow, FrameRow.id == kind.frame_id)
            .where(FrameRow.well_id.in_(_wells(run)), *conditions)
            .order_by(moment)
            .limit(1)
        ).first()
        for kind, moment, conditions in (
            (Result, Result.acquired_at, (Result.acquired_at.is_not(None),)),
            (
                Result,
                FrameRow.seen_at,
                (Result.acquired_at.is_(None), Result.elapsed_s.is_(None)),
            ),
        )
    ]
    first = min((each for each in firsts if each is not None), default=run.first_frame_at)
    if first is None or first == run.first_frame_at:
        return False
    return _set_first(session, run, first, policy)


def date_estimates(session: Session, wells: Select[int], channel: str) -> None:
    """Give the estimates of wells the days of their results: a time point is as late as its last.

    Parameters
    ----------
    channel
        The one that is scored.
    """
    newest = (
        select(func.max(Result.day))
        .join(FrameRow, FrameRow.id == Result.frame_id)
        .where(
            FrameRow.well_id == WellEstimate.well_id,
            FrameRow.time_point == WellEstimate.time_point,
            FrameRow.channel == channel,
        )
        .scalar_subquery()
    )
    session.execute(
        update(WellEstimate)
        .where(WellEstimate.well_id.in_(wells))
        .values(day=func.coalesce(newest, WellEstimate.day)),
        execution_options=_IN_THE_DATABASE,
    )


def _set_first(session: Session, run: Run, taken_at: datetime, policy: RunPolicy) -> bool:
    before, run.first_frame_at = run.first_frame_at, taken_at
    if run.started_at is not None:
        return False
    return _shift(session, run, before, taken_at, policy)


def _shift(
    session: Session,
    run: Run,
    before: datetime | None,
    after: datetime | None,
    policy: RunPolicy,
) -> bool:
    if policy.day_from != "acquired_at" or before is None or after is None or before == after:
        return False
    days = (before - after).total_seconds() / _DAY_S
    frames = select(FrameRow.id).where(FrameRow.well_id.in_(_wells(run)))
    session.flush()
    for kind in (Result, FluorescenceRow):
        session.execute(
            update(kind)
            .where(kind.frame_id.in_(frames), ~_by_elapsed(kind))
            .values(day=kind.day + days),
            execution_options=_IN_THE_DATABASE,
        )
    date_estimates(session, _wells(run), policy.phase_channel)
    # What the session holds is read again where it is asked for.
    session.expire_all()
    log.warning(
        "day 0 of the run moved", run=run.name, **{"from": before}, to=after, days=round(days, 3)
    )
    return True


def _by_elapsed(kind: Dated) -> ColumnElement[bool]:
    return and_(kind.acquired_at.is_(None), kind.elapsed_s.is_not(None))


def _some_by_elapsed(session: Session, run: Run) -> bool:
    """Return whether a frame of a run is placed by the time since its start."""
    return bool(
        session.scalar(
            select(Result.frame_id)
            .join(FrameRow, FrameRow.id == Result.frame_id)
            .where(FrameRow.well_id.in_(_wells(run)), _by_elapsed(Result))
            .limit(1)
        )
    )


def _wells(run: Run) -> Select[int]:
    return select(Well.id).where(Well.run_id == run.id)
