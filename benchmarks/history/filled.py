"""Fill a result database with a long history: a whole run as the store would have written it.

Frames, results, tile scores, estimates and outlooks are there; no rule has evaluated any of them,
so a daemon that starts with it has the whole history to catch up with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from benchmarks.history.made_up import GRID, course_of, measures_of, tiles_of, well_names
from scopewatch.app.recording.outlooks import update_outlooks
from scopewatch.core.imaging.efficiency import ErrorRates, correct, pool
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.files.tiles import pack
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.engine import open_writer, transaction
from scopewatch.store.schema.tables import FrameRow, Result, Run, TileScoresRow, Well
from scopewatch.store.schema.well_tables import WellEstimate
from scopewatch.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The content of a database.

    Parameters
    ----------
    wells, time_points, sites
        Numbers; each site has one frame per time point.
    began_at
        Time of the first frame.
    settled_at
        Time at which all frames were settled.
    rates, table
        Of the model card.
    unfit
        Share of the frames that could not be judged.
    judged_under
        Digest of the settings under which that share was judged.
    """

    began_at: datetime
    settled_at: datetime
    rates: ErrorRates | None
    table: Sequence[ForecastDay]
    wells: int = 96
    time_points: int = 500
    sites: int = 1
    final_day: float = 10.0
    run: str = "history"
    unfit: float = 0.01
    judged_under: str = ""
    seed: int = 1

    @property
    def interval_h(self) -> float:
        """Hours between two time points."""
        return self.final_day * 24 / self.time_points

    @property
    def names(self) -> list[str]:
        """Names of the wells, row by row."""
        return well_names(self.wells)

    def taken_at(self, time_point: int) -> datetime:
        """Return when the frames of a time point were taken."""
        return self.began_at + timedelta(hours=time_point * self.interval_h)


def fill(folder: Path, history: History) -> None:
    """Create the database of a state folder, with the whole history."""
    engine = open_writer(folder)
    try:
        with transaction(engine) as session:
            run = Run(
                name=history.run,
                started_at=history.began_at,
                first_frame_at=history.began_at,
                first_seen_at=history.began_at,
                simulated=True,
            )
            session.add(run)
            session.flush()
            wells = [Well(run_id=run.id, plate="p1", name=name) for name in history.names]
            session.add_all(wells)
            session.flush()
            numbers = [well.id for well in wells]
        random = np.random.default_rng(history.seed)
        for number in numbers:
            with transaction(engine) as session:
                _fill_well(session, number, history, random)
    finally:
        engine.dispose()


def _fill_well(
    session: Session, number: int, history: History, random: np.random.Generator
) -> None:
    frames = list(_frames(number, history, random))
    session.execute(insert(FrameRow), frames)
    ids = {
        (time_point, site): frame
        for frame, time_point, site in session.execute(
            select(FrameRow.id, FrameRow.time_point, FrameRow.site).where(
                FrameRow.well_id == number
            )
        )
    }
    course = course_of(random, history.time_points, history.final_day)
    probability, valid = pack(tiles_of(random))
    results, tiles, estimates = [], [], []
    for time_point, level in enumerate(course):
        day = time_point * history.interval_h / 24
        sites = []
        for site in range(history.sites):
            frame = frames[time_point * history.sites + site]
            if frame["state"] is not FrameState("done"):
                continue
            raw = float(np.clip(level + random.normal(0, 0.02), 0, 1))
            sites.append(correct(raw, history.rates))
            results.append(
                {
                    "frame_id": ids[time_point, site],
                    "model_id": "0" * 12,
                    "acquired_at": history.taken_at(time_point),
                    "elapsed_s": None,
                    "day": day,
                    "pixel_size_um": 1.3,
                    "view_um_per_px": 1.3,
                    "positive_fraction": raw,
                    "efficiency": sites[-1].value,
                    "low": sites[-1].low,
                    "high": sites[-1].high,
                    "corrected": sites[-1].corrected,
                    "measures": measures_of(raw, random),
                    "normalise_ms": 1.0,
                    "score_ms": 2.0,
                    "total_ms": 3.0,
                    "overlay": f"{number}/{time_point}_{site}.jpg",
                    "stain": None,
                }
            )
            tiles.append(
                {
                    "frame_id": ids[time_point, site],
                    "height_px": GRID.height,
                    "width_px": GRID.width,
                    "tile_px": GRID.tile_px,
                    "probability": probability,
                    "valid": valid,
                }
            )
        if sites:
            pooled = pool(sites, history.rates)
            estimates.append(
                {
                    "well_id": number,
                    "time_point": time_point,
                    "day": day,
                    "efficiency": pooled.value,
                    "low": pooled.low,
                    "high": pooled.high,
                    "corrected": pooled.corrected,
                    "n_sites": len(sites),
                }
            )
    session.execute(insert(Result), results)
    session.execute(insert(TileScoresRow), tiles)
    session.execute(insert(WellEstimate), estimates)
    policy = RunPolicy(
        run=history.run,
        interval_h=history.interval_h,
        final_day=history.final_day,
        sites_per_well=history.sites,
        phase_channel="phase",
        forecast=tuple(history.table),
    )
    well = session.get_one(Well, number)
    update_outlooks(UnitOfWork(session), well, policy, Budget(lambda: 0.0), since=0)


def _frames(number: int, history: History, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    for time_point in range(history.time_points):
        for site in range(history.sites):
            unfit = random.random() < history.unfit
            at = history.taken_at(time_point)
            name = f"{number}_t{time_point:05d}_s{site}"
            yield {
                "well_id": number,
                "site": site,
                "time_point": time_point,
                "channel": "phase",
                "source": "folder",
                "locator": f"/raw/{name}.tif",
                "fingerprint": name,
                "content": "",
                "state": FrameState.QUARANTINED if unfit else FrameState("done"),
                "attempts": 1,
                "fault": "blank" if unfit else None,
                "reason": "frame is blank" if unfit else None,
                "seen_at": at,
                "claimed_at": at,
                "settled_at": history.settled_at,
                "judged_under": history.judged_under,
                "retried": False,
            }
