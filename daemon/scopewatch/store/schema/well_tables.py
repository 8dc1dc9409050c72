"""The tables of what is known of a well: estimated, foretold, and measured on the final day.

`well_estimates` and `well_outlooks` (smoothed estimate and forecast) have a row for each time
point, `fluorescence` for each frame, `measured_wells` for each well.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from scopewatch.store.schema.columns import Base


class WellEstimate(Base):
    """The running efficiency of a well at one time point: its judged sites, pooled."""

    __tablename__ = "well_estimates"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[float]
    efficiency: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    corrected: Mapped[bool]
    n_sites: Mapped[int]


class WellOutlook(Base):
    """The outlook of a well at a time point: its smoothed estimate and its forecast.

    It follows from the well's estimates up to that time point, so that the forecast of every
    earlier day can be looked at later. Where there is no forecast, `cause` and `reason` name the
    reason, and the fields from `value` to `coverage` are None. `day` is that of the time point,
    `now_day` that of the newest judged one, which lies before where this one could not be judged.
    `filter` is what the next one follows from (`core.estimation.smoothing.WellFilter`); None where
    it was not stored.
    """

    __tablename__ = "well_outlooks"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[float]
    now_day: Mapped[float]
    now: Mapped[float]
    now_low: Mapped[float]
    now_high: Mapped[float]
    trend_per_day: Mapped[float]
    trend_half_width: Mapped[float]
    final_day: Mapped[float]
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    half_width: Mapped[float | None]
    coverage: Mapped[float | None]
    errors: Mapped[list[Any]]
    cause: Mapped[str | None]
    reason: Mapped[str | None]
    filter: Mapped[list[Any] | None]


class FluorescenceRow(Base):
    """A fluorescence frame as any threshold needs it; packed by `store.schema.readings`.

    `threshold` and `efficiency` are those of the run as far as it is known: both None for a frame
    before the final day, or that a newer one of its site supersedes; the threshold None where the
    run shows no signal.
    """

    __tablename__ = "fluorescence"

    frame_id: Mapped[int] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    day: Mapped[float]
    acquired_at: Mapped[datetime | None]
    elapsed_s: Mapped[float | None]
    height_px: Mapped[int]
    width_px: Mapped[int]
    tile_px: Mapped[int]
    noise: Mapped[float]
    maybe: Mapped[bytes] = mapped_column(LargeBinary)
    positive: Mapped[bytes] = mapped_column(LargeBinary)
    histogram: Mapped[bytes] = mapped_column(LargeBinary)
    threshold: Mapped[float | None]
    efficiency: Mapped[float | None]


class MeasuredWell(Base):
    """The efficiency of a well by fluorescence on the final day: its sites, averaged."""

    __tablename__ = "measured_wells"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int]
    day: Mapped[float]
    efficiency: Mapped[float]
    n_sites: Mapped[int]
    measured_at: Mapped[datetime]
