"""What the images that an acquisition has on disk already say of those to come."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from scopewatch.sources.micromanager.acquired import own_data_sets
from scopewatch.sources.micromanager.plans.projection import FrameSize
from scopewatch.sources.micromanager.schedule.plan_file import read_kept
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOnDisk:
    """How far a run is.

    Parameters
    ----------
    over
        Time points that are over: acquired, or missed for good.
    extra
        Time points that were put in between.
    frame
        Size of an image of the newest data set; None where none has any.
    """

    over: int = 0
    extra: int = 0
    frame: FrameSize | None = None


def look_on_disk(path: Path, run: str) -> RunOnDisk:
    """Return how far a run is, as far as it can be read."""
    try:
        kept = read_kept(path, run)
    except OSError:
        return RunOnDisk()  # the source that watches it reports what cannot be read
    frame = seen_frame(path, run)
    if kept is None:
        return RunOnDisk(frame=frame)
    return RunOnDisk(over=kept.planned.over + 1, extra=len(kept.planned.extra), frame=frame)


def seen_frame(path: Path, run: str) -> FrameSize | None:
    """Return the size of the images of the newest data set; None where none has any."""
    try:
        for folder in own_data_sets(path, run):
            sightings = DataSet(folder, DEFAULT_LIMITS, patience_s=0).look(0.0, at_most=1)
            for block in (each.image.block for each in sightings if each.image is not None):
                return FrameSize(
                    width_px=block.width,
                    height_px=block.height,
                    bytes_per_px=block.pixel_bytes,
                    origin=f"as the images of {folder.name}",
                )
    except OSError:
        return None  # likewise
    return None


def free_bytes(path: Path) -> int | None:
    """Return the free space where images are written; None where unknown."""
    try:
        return shutil.disk_usage(next(each for each in (path, *path.parents) if each.exists())).free
    except (OSError, StopIteration):
        return None
