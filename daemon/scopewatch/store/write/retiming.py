"""Moments that get known later: the new day of a settled frame, and what follows from it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.moment import Moment
from scopewatch.event_log import get_logger
from scopewatch.store.read.frame_queries import frame_key
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Result, Well
from scopewatch.store.schema.well_tables import FluorescenceRow
from scopewatch.store.write.days import (
    Taken,
    date_estimates,
    day_of,
    find_first,
    note_frame,
    set_start,
    warn_if_early,
)
from scopewatch.store.write.frame_recorder import Settling
from scopewatch.store.write.measuring import measure_run

log = get_logger(__name__)


def recorded_moment(dated: Result | FluorescenceRow) -> Moment:
    """Return when a frame was taken, as it is recorded."""
    return Moment(acquired_at=dated.acquired_at, elapsed_s=dated.elapsed_s)


def retime(
    session: Session, row: FrameRow, moment: Moment, settling: Settling, now: datetime
) -> float | None:
    """Take up when a settled frame was taken, where that says more than what is recorded.

    Its day moves, and with it the estimate and the outlooks of its well; day 0 where it is the
    run's first frame, and then every day counted from it. Rules are not stepped: those time points
    are past, and the next one is stepped over the days as they are now.

    Returns
    -------
    The new day; None where nothing changed.
    """
    dated = _dated(session, row)
    if dated is None or not moment.updates(was := recorded_moment(dated)):
        return None
    run, policy = row.well.run, settling.policy
    key = frame_key(run, row.well, row)
    known = moment.over(was)
    taken = Taken(key=key, moment=known, seen_at=row.seen_at)
    dated.acquired_at, dated.elapsed_s = known.acquired_at, known.elapsed_s
    session.flush()
    moved = set_start(session, run, policy)
    if isinstance(dated, Result) and known.acquired_at is not None:
        if run.first_frame_at == replace(taken, moment=was).at:
            moved |= find_first(session, run, policy)
        else:
            moved |= note_frame(session, run, taken, policy)
    before, budget = dated.day, settling.budget()
    dated.day = day_of(taken, policy, run.first_frame_at)
    warn_if_early(taken, dated.day)
    session.flush()
    if isinstance(dated, Result) and row.channel == policy.phase_channel:
        date_estimates(session, select(Well.id).where(Well.id == row.well_id), row.channel)
        settling.look_ahead(session, row.well, row.time_point, budget)
    elif settling.measuring is not None:
        measure_run(session, run, settling.measuring, now)
    if moved:
        settling.reckon_again(session, run, now, budget)
    log.info(
        "frame's time became known",
        key=str(key),
        acquired_at=known.acquired_at,
        day=round(dated.day, 3),
        was=round(before, 3),
    )
    return dated.day


def _dated(session: Session, row: FrameRow) -> Result | FluorescenceRow | None:
    if row.state is FrameState.SCORED:
        return session.get(Result, row.id)
    return session.get(FluorescenceRow, row.id) if row.state is FrameState.MEASURED else None
