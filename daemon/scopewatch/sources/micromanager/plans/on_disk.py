"""What the images that an acquisition has on disk already say of those to come."""

import shutil
from pathlib import Path

from scopewatch.sources.micromanager.plan_file import own_data_sets, read_plan
from scopewatch.sources.micromanager.plans.projection import FrameSize
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS


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
        return None  # the source that watches it reports what cannot be read
    return None


def time_points_over(path: Path, run: str) -> tuple[int, int]:
    """Return how many time points of a run are over, and how many were put in between.

    Over are those that are acquired, or missed for good.
    """
    try:
        kept = read_plan(path, run)
    except OSError:
        return 0, 0  # likewise
    return (0, 0) if kept is None else (kept.over + 1, len(kept.extra))


def free_bytes(path: Path) -> int | None:
    """Return the free space where images are written; None where unknown."""
    try:
        return shutil.disk_usage(next(each for each in (path, *path.parents) if each.exists())).free
    except (OSError, StopIteration):
        return None
