"""The images of all data sets in a folder, those that a kill left open included."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS

Plane = tuple[int, str, str | None, int | None]  # time point, position, channel, plane


def images_on_disk(folder: Path) -> Counter[tuple[int, str]]:
    """Count the images by time point and position."""
    return Counter((axes["time"], axes["position"]) for axes in _axes_on_disk(folder))


def planes_on_disk(folder: Path) -> Counter[Plane]:
    """Count the images by time point, position, channel and plane."""
    return Counter(
        (axes["time"], axes["position"], axes.get("channel"), axes.get("z"))
        for axes in _axes_on_disk(folder)
    )


def _axes_on_disk(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir():
            continue
        data_set = DataSet(path, DEFAULT_LIMITS, patience_s=0)
        while sightings := data_set.look(0.0):
            yield from (each.axes for each in sightings if each.image is not None)
