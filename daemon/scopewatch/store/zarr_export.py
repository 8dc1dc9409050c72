"""The virtual stains as OME-Zarr 0.5: one image (time, y, x) per field of view.

`OUT/<experiment>/<plate>/<well>/s<site>`: each opens by itself in napari, Fiji or with zarr.
Specification: https://ngff.openmicroscopy.org/0.5/
"""

import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.frame import FrameKey
from scopewatch.core.overlay import stain_plane
from scopewatch.core.tiling import TileScores
from scopewatch.store.filenames import safe_name
from scopewatch.store.files import make_folder, writing
from scopewatch.store.queries import Reader
from scopewatch.store.records import FrameRecord

VERSION: Final = "0.5"

# One field of view: its judged frames in order of time, all of one size.
Field = list[tuple[FrameRecord, TileScores]]


def export_ome_zarr(reader: Reader, path: Path) -> int:
    """Write the stains of every judged frame; return the number of images.

    A pixel reads 0 where the tile does not count, else 1 + round(254 * probability).

    Raises
    ------
    StoreError
        Where zarr is not installed, `path` exists already, or the disk refuses.
    """
    zarr = _zarr()
    if path.exists():
        raise StoreError(
            complaint("export is there already", where=path, do="remove it or name another path")
        )
    make_folder(path.parent)
    simulated = {run.name: run.simulated for run in reader.runs()}
    begun = path.with_name(f".{path.name}.part")
    count = 0
    with writing(path):
        shutil.rmtree(begun, ignore_errors=True)
        try:
            zarr.create_group(begun, zarr_format=3)
            for name, field in _fields(reader):
                key = field[0][0].key
                _write(zarr, begun, name, field, simulated=simulated[key.experiment])
                count += 1
            begun.rename(path)
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    return count


def _zarr() -> ModuleType:
    # Heavy and wanted by few: imported by those who ask for it.
    try:
        import zarr  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise StoreError(
            complaint(
                "OME-Zarr cannot be written",
                where="export",
                got="no zarr package",
                do="pip install 'scopewatch[zarr]', or export csv or json",
            )
        ) from error
    return zarr


def _fields(reader: Reader) -> Iterator[tuple[str, Field]]:
    """Yield each field of view with its path; one that changed its size comes as several."""

    def well(frame: FrameRecord) -> tuple[str, str, str, str]:
        return frame.key.experiment, frame.key.plate, frame.key.well, frame.key.channel

    for _, frames in groupby(reader.frames(), well):
        judged = [frame for frame in frames if frame.efficiency is not None]
        for site in sorted({frame.key.site for frame in judged}):
            by_shape: dict[tuple[int, int], Field] = {}
            for frame in judged:
                scores = reader.tile_scores(frame.key) if frame.key.site == site else None
                if scores is not None:
                    shape = scores.grid.height, scores.grid.width
                    by_shape.setdefault(shape, []).append((frame, scores))
            for (height, width), field in by_shape.items():
                size = "" if len(by_shape) == 1 else f"_{height}x{width}"
                yield f"{_folder(field[0][0].key)}/s{site}{size}", field


def _folder(key: FrameKey) -> str:
    return "/".join(safe_name(part) for part in (key.experiment, key.plate, key.well))


def _write(zarr: ModuleType, root: Path, name: str, field: Field, *, simulated: bool) -> None:
    records = [record for record, _ in field]
    grid = field[0][1].grid
    image = zarr.open_group(root, mode="r+").create_group(
        name, attributes=_attributes(records, simulated=simulated)
    )
    planes = image.create_array(
        "0",
        shape=(len(field), grid.height, grid.width),
        chunks=(1, grid.height, grid.width),
        dtype="uint8",
        fill_value=0,
        dimension_names=("t", "y", "x"),
    )
    for index, (_, scores) in enumerate(field):
        planes[index] = stain_plane(scores)


def _attributes(records: list[FrameRecord], *, simulated: bool) -> dict[str, Any]:
    um_per_px = records[0].view_um_per_px
    unit = {} if um_per_px is None else {"unit": "micrometer"}
    space = um_per_px or 1.0
    days = [record.day or 0.0 for record in records]
    steps = np.diff(days)
    # Days between frames are told as the time axis only where they are all alike.
    regular = len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=0.01)
    time = {"unit": "day"} if regular else {}
    mark = "SIMULATED " if simulated else ""
    return {
        "ome": {
            "version": VERSION,
            "multiscales": [
                {
                    "name": f"{mark}virtual stain of {records[0].key}",
                    "axes": [
                        {"name": "t", "type": "time", **time},
                        {"name": "y", "type": "space", **unit},
                        {"name": "x", "type": "space", **unit},
                    ],
                    "datasets": [
                        {
                            "path": "0",
                            "coordinateTransformations": [
                                {
                                    "type": "scale",
                                    "scale": [float(steps[0]) if regular else 1.0, space, space],
                                },
                                {
                                    "type": "translation",
                                    "translation": [days[0] if regular else 0.0, 0.0, 0.0],
                                },
                            ],
                        }
                    ],
                }
            ],
        },
        "scopewatch": {
            "simulated": simulated,
            "encoding": "0: tile does not count; else probability = (value - 1) / 254",
            "days": days,
            "time_points": [record.key.time_point for record in records],
            "model_ids": [record.model_id for record in records],
        },
    }
