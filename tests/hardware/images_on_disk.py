"""The images of all data sets in a folder, those that a kill left open included."""

from collections import Counter
from pathlib import Path

from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS


def images_on_disk(folder: Path) -> Counter[tuple[int, str]]:
    """Count the images by time point and position."""
    found: Counter[tuple[int, str]] = Counter()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir():
            continue
        data_set = DataSet(path, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            found.update(
                (each.axes["time"], each.axes["position"])
                for each in sightings
                if each.image is not None
            )
    return found
