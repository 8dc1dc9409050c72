"""The day of the differentiation run on which a frame was taken.

Day 0 is `experiment.started_at`, or else the run's first frame. Files may arrive in any order,
so an earlier frame than the first one known moves day 0, and with it all days of that run.
"""

import logging
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from scopewatch.config import ExperimentConfig
from scopewatch.core.frame import FrameKey
from scopewatch.store.tables import FrameRow, Result, Run, Well
from scopewatch.store.well_tables import WellEstimate

log = logging.getLogger(__name__)

_DAY_S = 86_400.0


def day_of(
    key: FrameKey, taken_at: datetime, experiment: ExperimentConfig, first_frame_at: datetime | None
) -> float:
    """Return the day, fractional; negative (and said so in the log) before a configured start."""
    if experiment.day_from == "time_point":
        return key.time_point * experiment.interval_h / 24
    origin = experiment.started_at or min(first_frame_at or taken_at, taken_at)
    day = (taken_at - origin).total_seconds() / _DAY_S
    if day < 0:
        log.warning(
            "frame was taken before the run started",
            extra={"event": {"key": str(key), "taken_at": taken_at, "day": round(day, 2)}},
        )
    return day


def set_start(session: Session, run: Run, experiment: ExperimentConfig) -> bool:
    """Take over a start that was configured, or corrected, while the run went on.

    Returns
    -------
    Whether day 0 moved: then what follows from days has to be reckoned anew.
    """
    if run.started_at == experiment.started_at:
        return False
    before = run.started_at or run.first_frame_at
    run.started_at = experiment.started_at
    return _shift(session, run, before, run.started_at or run.first_frame_at, experiment)


def note_frame(
    session: Session, run: Run, taken_at: datetime, experiment: ExperimentConfig
) -> bool:
    """Take note of a frame's time: the earliest one is day 0 unless a start is configured.

    Returns
    -------
    Whether day 0 moved.
    """
    before = run.first_frame_at
    if before is not None and before <= taken_at:
        return False
    run.first_frame_at = taken_at
    if run.started_at is not None:
        return False
    return _shift(session, run, before, taken_at, experiment)


def _shift(
    session: Session,
    run: Run,
    before: datetime | None,
    after: datetime | None,
    experiment: ExperimentConfig,
) -> bool:
    if experiment.day_from != "acquired_at" or before is None or after is None or before == after:
        return False
    days = (before - after).total_seconds() / _DAY_S
    wells = select(Well.id).where(Well.run_id == run.id)
    frames = select(FrameRow.id).where(FrameRow.well_id.in_(wells))
    session.execute(update(Result).where(Result.frame_id.in_(frames)).values(day=Result.day + days))
    session.execute(
        update(WellEstimate)
        .where(WellEstimate.well_id.in_(wells))
        .values(day=WellEstimate.day + days)
    )
    log.warning(
        "day 0 of the run moved",
        extra={"event": {"run": run.name, "from": before, "to": after, "days": round(days, 3)}},
    )
    return True
