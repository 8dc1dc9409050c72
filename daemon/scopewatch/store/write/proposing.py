"""The proposal to recalibrate: what the database knows of a run that departs from its card."""

from datetime import datetime
from math import inf
from pathlib import Path

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scopewatch.core.estimation.forecast_validation import RunReport, judge_run
from scopewatch.core.estimation.recalibration import (
    CourseDay,
    FrameTally,
    Proposal,
    WellCourse,
    tally,
)
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.monitoring.policy import BEFORE_END_DAYS
from scopewatch.store.files.filenames import safe_name
from scopewatch.store.files.tiles import unpack
from scopewatch.store.files.whole_files import make_folder, write_whole, writing
from scopewatch.store.read.final_results import run_ends
from scopewatch.store.read.well_queries import newest_time_point
from scopewatch.store.schema.readings import unpack_reading
from scopewatch.store.schema.tables import FrameRow, Result, Run, TileScoresRow, Well
from scopewatch.store.schema.well_tables import (
    FluorescenceRow,
    MeasuredWell,
    WellEstimate,
    WellOutlook,
)
from scopewatch.store.write.measuring import Measuring

FOLDER = "recalibration"


def propose(
    session: Session,
    run: Run,
    report: RunReport,
    *,
    model_sha256: str,
    final_day: float,
    now: datetime,
) -> Proposal | None:
    """Gather a run for recalibration; None where no phase frame lies beside a fluorescence frame.

    Frames that another model scored are left out.
    """
    frames = _tallies(session, run, model_sha256)
    wells = _courses(session, run)
    if not (frames and wells and report.now):
        return None
    return Proposal(
        run=run.name,
        simulated=run.simulated,
        model_sha256=model_sha256,
        made_at=now,
        final_day=final_day,
        why=report.departs,
        bias=report.now.bias,
        mae=report.now.mae,
        frames=tuple(frames),
        wells=tuple(wells),
    )


def proposal_path(state: Path, run: str) -> Path:
    """Where the proposal of a run lies, whether there is one or not."""
    return state / FOLDER / f"{safe_name(run)}.json"


def write_proposal(state: Path, run: str, proposal: Proposal | None) -> None:
    """Write the proposal of a run, or take back what was proposed. Raises StoreError."""
    path = proposal_path(state, run)
    if proposal is None:
        with writing(path):
            path.unlink(missing_ok=True)
        return
    make_folder(path.parent)
    write_whole(path, proposal.model_dump_json(indent=1).encode())


def review_run(session: Session, name: str, measuring: Measuring, now: datetime) -> RunReport:
    """Set a run against its card, and propose recalibration where it departs from it.

    Raises
    ------
    StoreError
        When the proposal cannot be written.
    """
    ends = run_ends(session, name)
    report = judge_run(ends[0].wells if ends else (), measuring.errors)
    proposal = None
    if report.departs:
        run = session.scalars(select(Run).where(Run.name == name)).one()
        proposal = propose(
            session,
            run,
            report,
            model_sha256=measuring.model_sha256,
            final_day=measuring.final_day,
            now=now,
        )
    write_proposal(measuring.state, name, proposal)
    return report


def is_complete(session: Session, name: str, time_point: int) -> bool:
    """Return whether a run has measured wells, and none of them is still to be judged at a time.

    A well is waited for that was judged at the time point of the run before, which may be any
    earlier one: an acquisition that paused leaves a gap.
    """
    earlier = (
        select(func.max(WellEstimate.time_point))
        .where(WellEstimate.well_id == Well.id, WellEstimate.time_point < time_point)
        .correlate(Well)
        .scalar_subquery()
    )
    wells = session.execute(
        select(newest_time_point(WellEstimate), earlier)
        .select_from(Well)
        .join(MeasuredWell, MeasuredWell.well_id == Well.id)
        .join(Run, Run.id == Well.run_id)
        .where(Run.name == name)
    ).all()
    before = max((last for _, last in wells if last is not None), default=None)
    return bool(wells) and (before is None or all(newest != before for newest, _ in wells))


def _tallies(session: Session, run: Run, model_sha256: str) -> list[FrameTally]:
    """Tiles of the last phase frame of each measured site against their labels."""
    tallies = []
    for stored, frame, well in session.execute(
        select(FluorescenceRow, FrameRow, Well)
        .join(FrameRow, FrameRow.id == FluorescenceRow.frame_id)
        .join(Well, Well.id == FrameRow.well_id)
        .where(Well.run_id == run.id, FluorescenceRow.efficiency.is_not(None))
        .order_by(Well.plate, Well.id, FrameRow.site)
    ).all():
        phase = session.execute(
            select(TileScoresRow, Result.day)
            .join(Result, Result.frame_id == TileScoresRow.frame_id)
            .join(FrameRow, FrameRow.id == Result.frame_id)
            .where(
                FrameRow.well_id == well.id,
                FrameRow.site == frame.site,
                Result.model_id == model_sha256[:12],
            )
            .order_by(FrameRow.time_point.desc())
            .limit(1)
        ).first()
        if phase is None or abs(phase.day - stored.day) > BEFORE_END_DAYS:
            continue
        tiles = phase[0]
        grid = TileGrid(height=tiles.height_px, width=tiles.width_px, tile_px=tiles.tile_px)
        reading = unpack_reading(stored)
        if grid != reading.grid:
            continue
        scores = unpack(grid, tiles.probability, tiles.valid)
        labels = reading.label(inf if stored.threshold is None else stored.threshold)
        counted = scores.valid & (labels >= 0)
        if np.any(counted):
            name = f"{well.plate}/{well.name}/s{frame.site}"
            tallies.append(tally(name, run.name, labels, scores.probability, counted))
    return tallies


def _courses(session: Session, run: Run) -> list[WellCourse]:
    days: dict[int, list[CourseDay]] = {}
    rows = session.execute(
        select(MeasuredWell, Well)
        .join(Well, Well.id == MeasuredWell.well_id)
        .where(Well.run_id == run.id)
        .order_by(Well.plate, Well.id)
    ).all()
    # As columns: objects of a long run, with the errors of their forecasts, take seconds to make.
    for outlook in session.execute(
        select(
            WellOutlook.well_id,
            WellOutlook.day,
            WellOutlook.now_day,
            WellOutlook.now,
            WellOutlook.trend_per_day,
        )
        .where(WellOutlook.well_id.in_([well.id for _, well in rows]))
        .order_by(WellOutlook.time_point)
    ):
        # A time point that could not be judged repeats what was known before it.
        if outlook.day == outlook.now_day:
            day = CourseDay(day=outlook.day, estimate=outlook.now, trend=outlook.trend_per_day)
            days.setdefault(outlook.well_id, []).append(day)
    return [
        WellCourse(
            plate=well.plate,
            well=well.name,
            final=measured.efficiency,
            days=tuple(days.get(well.id, ())),
        )
        for measured, well in rows
    ]
