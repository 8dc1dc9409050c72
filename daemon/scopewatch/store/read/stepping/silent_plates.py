"""Which plates have fallen silent lately."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, Well


def silent_plates(
    session: Session, now: datetime, patience: timedelta, done_with: timedelta
) -> list[int]:
    """Return a well of each plate of which no frame came for a while, but not for very long.

    Where the latest was settled later than now, the clock was set back since: then the one that
    came in last counts.

    Parameters
    ----------
    patience
        How long none must have come.
    done_with
        How long ago the last one may lie.
    """
    # State by state, as the index has them: no frame is read but the latest of each.
    latest = [
        select(func.max(FrameRow.settled_at))
        .where(FrameRow.well_id == Well.id, FrameRow.state == state)
        .correlate(Well)
        .scalar_subquery()
        for state in FrameState
    ]
    # Runs that are over need not be looked at, however many they are.
    lately = select(FrameRow.well_id).where(FrameRow.settled_at > now - done_with)
    of_runs = select(Well.run_id).where(Well.id.in_(lately))
    plates: dict[tuple[int, str], tuple[list[int], list[datetime]]] = {}
    for well, run, plate, *settled in session.execute(
        select(Well.id, Well.run_id, Well.plate, *latest)
        .where(Well.run_id.in_(of_runs))
        .order_by(Well.id)
    ):
        wells, moments = plates.setdefault((run, plate), ([], []))
        wells.append(well)
        moments += [at for at in settled if at is not None]
    found = []
    for wells, moments in plates.values():
        if not moments or max(moments) <= now - done_with:
            continue
        at = max(moments)
        if at > now:
            at = _came_last(session, wells) or at
        if at <= now - patience or at > now:
            found.append(wells[0])
    return found


def _came_last(session: Session, wells: list[int]) -> datetime | None:
    """Return when the frame was settled that came in last."""
    return session.scalar(
        select(FrameRow.settled_at)
        .where(FrameRow.well_id.in_(wells), FrameRow.settled_at.is_not(None))
        .order_by(FrameRow.id.desc())
        .limit(1)
    )
