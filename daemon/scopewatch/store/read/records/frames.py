"""Frames as they were recorded, one by one and counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many frames went where.

    Parameters
    ----------
    waiting
        Frames that were claimed but not settled: the one that is worked on, and those a crash left.
    skipped
        Frames of channels that are not scored.
    refused
        Files that never became a frame.
    missed
        Frames that were due and never came.
    last_frame_at
        When the newest frame was settled, aware UTC; None before the first.
    newest_day
        Day of the differentiation run of the newest frame.
    scale_stated
        Whether the newest frame that was scored has a pixel size; None before the first.
    """

    scored: int
    quarantined: int
    waiting: int
    skipped: int
    refused: int
    last_frame_at: datetime | None
    newest_day: float | None
    missed: int = 0
    scale_stated: bool | None = None


def sum_counts(each: Collection[Counts]) -> Counts:
    """Return the counts of some runs together; the day and scale are those of the newest frame."""
    newest: Counts | None = None
    newest_at: datetime | None = None
    for counts in each:
        at = counts.last_frame_at
        if at is not None and (newest_at is None or at > newest_at):
            newest, newest_at = counts, at
    return Counts(
        scored=sum(counts.scored for counts in each),
        quarantined=sum(counts.quarantined for counts in each),
        waiting=sum(counts.waiting for counts in each),
        skipped=sum(counts.skipped for counts in each),
        refused=sum(counts.refused for counts in each),
        missed=sum(counts.missed for counts in each),
        last_frame_at=newest_at,
        newest_day=None if newest is None else newest.newest_day,
        scale_stated=None if newest is None else newest.scale_stated,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """All that is known of a frame; what is None was not judged, or is not in its file.

    Parameters
    ----------
    pixel_size_um, view_um_per_px
        Width of a pixel of the frame, and of its stain (they differ where it was resampled).
    z, z_planes
        Plane that was scored as the sharpest of a z-stack, and of how many; None for other frames.
    """

    key: FrameKey
    source: str
    locator: str
    state: str
    attempts: int
    fault: str | None
    reason: str | None
    seen_at: datetime
    settled_at: datetime | None
    acquired_at: datetime | None
    day: float | None
    pixel_size_um: float | None
    view_um_per_px: float | None
    positive_fraction: float | None
    efficiency: Efficiency | None
    model_id: str | None
    total_ms: float | None
    overlay: str | None
    stain: str | None
    z: int | None
    z_planes: int | None
