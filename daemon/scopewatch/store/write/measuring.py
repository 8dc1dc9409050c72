"""The fluorescence of the final day: kept, binarised over the run, and averaged for each well.

The threshold of a run follows from all its frames, so each new one may move what was measured
before: the run is measured again after every frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, isfinite
from pathlib import Path

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from scopewatch.core.errors import ConfigError
from scopewatch.core.estimation.forecast_validation import Field, FieldEfficiency, measure_fields
from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.core.imaging.moment import Moment
from scopewatch.event_log import get_logger
from scopewatch.monitoring.policy import BEFORE_END_DAYS
from scopewatch.store.schema.readings import pack_reading, unpack_reading
from scopewatch.store.schema.tables import FrameRow, Run, TileScoresRow, Well
from scopewatch.store.schema.well_tables import FluorescenceRow, MeasuredWell

log = get_logger(__name__)

_UNKNOWN = FieldEfficiency(threshold=inf, efficiency=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """What measuring needs besides the frames.

    Parameters
    ----------
    thresholds
        How the card's labels were binarised.
    final_day
        When the run ends.
    errors
        What the card promises; None where it knows no error rates.
    model_sha256
        Of the model whose frames are compared.
    state
        The state folder, for proposals.
    """

    thresholds: Thresholds
    final_day: float
    errors: HeldOutErrors | None
    model_sha256: str
    state: Path

    def final(self, day: float) -> bool:
        """Whether a frame of that day belongs to the final day."""
        return day >= self.final_day - BEFORE_END_DAYS


def write_reading(
    session: Session,
    row: FrameRow,
    reading: FluorescenceReading,
    day: float,
    moment: Moment,
) -> None:
    """Store the reading of a frame in place of any earlier one."""
    drop_reading(session, row)
    stored = FluorescenceRow(
        frame_id=row.id, day=day, acquired_at=moment.acquired_at, elapsed_s=moment.elapsed_s
    )
    pack_reading(stored, reading)
    session.add(stored)
    session.flush()


def drop_reading(session: Session, row: FrameRow) -> None:
    """Remove the reading of a frame, where it has one."""
    session.execute(delete(FluorescenceRow).where(FluorescenceRow.frame_id == row.id))


def measure_run(session: Session, run: Run, measuring: Measuring, now: datetime) -> None:
    """Binarise the final day of a run as far as it is known, and measure its wells.

    Of several fluorescence frames of a site, the newest counts. While the card binarises by
    reporter-free controls and none of the run is known, nothing is measured.
    """
    newest: dict[tuple[int, int], tuple[FluorescenceRow, FrameRow, Well]] = {}
    superseded: list[FluorescenceRow] = []
    for stored, frame, well in session.execute(
        select(FluorescenceRow, FrameRow, Well)
        .join(FrameRow, FrameRow.id == FluorescenceRow.frame_id)
        .join(Well, Well.id == FrameRow.well_id)
        .where(
            Well.run_id == run.id,
            FluorescenceRow.day >= measuring.final_day - BEFORE_END_DAYS,
        )
        .order_by(FrameRow.time_point)
    ):
        if (well.id, frame.site) in newest:
            superseded.append(newest[well.id, frame.site][0])
        newest[well.id, frame.site] = stored, frame, well
    for stored in superseded:
        stored.threshold = stored.efficiency = None
    fields = [
        Field(
            id=str(frame.id),
            run=run.name,
            group=f"{run.name}/{well.plate}/{well.name}",
            reading=unpack_reading(stored),
        )
        for stored, frame, well in newest.values()
    ]
    found = _measure(fields, measuring.thresholds)
    wells: dict[int, list[tuple[FluorescenceRow, FrameRow]]] = {}
    for stored, frame, well in newest.values():
        measured = found.get(str(frame.id), _UNKNOWN)
        stored.threshold = measured.threshold if isfinite(measured.threshold) else None
        stored.efficiency = measured.efficiency
        if measured.efficiency is not None:
            wells.setdefault(well.id, []).append((stored, frame))
    in_run = select(Well.id).where(Well.run_id == run.id)
    session.execute(delete(MeasuredWell).where(MeasuredWell.well_id.in_(in_run)))
    for well_id, sites in wells.items():
        session.add(
            MeasuredWell(
                well_id=well_id,
                time_point=max(frame.time_point for _, frame in sites),
                day=max(stored.day for stored, _ in sites),
                efficiency=float(np.mean([stored.efficiency for stored, _ in sites])),
                n_sites=len(sites),
                measured_at=now,
            )
        )
    session.flush()


def _measure(fields: Sequence[Field], thresholds: Thresholds) -> dict[str, FieldEfficiency]:
    try:
        return measure_fields(fields, thresholds) if fields else {}
    except ConfigError as error:
        log.info("run cannot be measured yet", why=error)
        return {}


def phase_shape(
    session: Session, run: str, plate: str, well: str, site: int
) -> tuple[int, int] | None:
    """Return (H, W) of a site's newest phase frame as it was scored; None before there is one."""
    found = session.execute(
        select(TileScoresRow.height_px, TileScoresRow.width_px)
        .join(FrameRow, FrameRow.id == TileScoresRow.frame_id)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(Run.name == run, Well.plate == plate, Well.name == well, FrameRow.site == site)
        .order_by(FrameRow.time_point.desc())
        .limit(1)
    ).first()
    return None if found is None else (found.height_px, found.width_px)
