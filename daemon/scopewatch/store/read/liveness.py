"""Records that outlive the process: how its last run ended, its last frame, folders of sources."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scopewatch.core.source import KnownFolder
from scopewatch.store.read.well_queries import newest_time_point
from scopewatch.store.schema.tables import FrameRow, SignOfLife, Well
from scopewatch.store.schema.well_tables import WellEstimate


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessRecord:
    """When something last happened, and a word about it."""

    at: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFrame:
    """The newest frame of all; None where there is none.

    Parameters
    ----------
    at
        When it was settled, whatever became of it (frames of other channels too).
    newest_at
        When that was of the frame which came in last: not the latest moment, where the clock was
        set back since.
    day
        Latest day of its run that a judged frame was taken on.
    """

    at: datetime | None
    newest_at: datetime | None
    day: float | None


# Pictures that were written up to the time of this record may have been removed by retention.
PICTURES_REMOVED: Final = "pictures removed"
_FOLDER: Final = "folder of source "


def read_liveness(session: Session) -> dict[str, LivenessRecord]:
    """Return all records by name."""
    rows = session.scalars(select(SignOfLife))
    return {row.name: LivenessRecord(at=row.at, detail=row.detail) for row in rows}


def last_frame(session: Session) -> LastFrame:
    """Return the newest frame of whichever run it is of."""
    settled = (
        select(FrameRow.settled_at, Well.run_id)
        .join(Well, Well.id == FrameRow.well_id)
        .where(FrameRow.settled_at.is_not(None))
        .limit(1)
    )
    latest = session.execute(settled.order_by(FrameRow.settled_at.desc())).one_or_none()
    newest = session.execute(settled.order_by(FrameRow.id.desc())).one_or_none()
    if latest is None or newest is None:
        return LastFrame(at=None, newest_at=None, day=None)
    # Of each well its newest time point: days follow time points.
    day = session.scalar(
        select(func.max(WellEstimate.day))
        .join(Well, Well.id == WellEstimate.well_id)
        .where(
            Well.run_id == newest.run_id,
            WellEstimate.time_point == newest_time_point(WellEstimate),
        )
    )
    return LastFrame(at=latest.settled_at, newest_at=newest.settled_at, day=day)


def folder_record(source: str) -> str:
    """Return the name of the liveness record of a source's folder."""
    return f"{_FOLDER}{source}"


def known_folder(session: Session, source: str, run: str, path: str) -> KnownFolder | None:
    """Return the folder of a source as it was last there.

    None where it is not known, or of another run, or gave no frame: such a folder is still to come.
    """
    row = session.get(SignOfLife, folder_record(source))
    if row is None:
        return None
    kept = json.loads(row.detail)
    if (kept["run"], kept["path"]) != (run, path):
        return None
    frame = session.scalar(select(FrameRow.id).where(FrameRow.source == source).limit(1))
    return None if frame is None else KnownFolder(mounted=kept["mounted"])
