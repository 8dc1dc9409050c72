"""The virtual stains as OME-Zarr 0.5: one image (time, y, x) per field of view.

`OUT` is a collection of images (layout `bioformats2raw`), since several runs and plates are no
plate: `OUT/0`, `OUT/1`, ..., each of which opens by itself, too. Their names are run, plate, well
and site, and so does `OUT/OME/METADATA.ome.xml`, by which viewers find them.
Specification: https://ngff.openmicroscopy.org/0.5/#bf2raw
"""

import shutil
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from xml.etree import ElementTree as Xml

import numpy as np

from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.overlay import stain_plane
from scopewatch.core.imaging.tiling import TileScores
from scopewatch.store.files.whole_files import make_folder, writing
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.frames import FrameRecord

VERSION: Final = "0.5"
_COLLECTION: Final = {"ome": {"version": VERSION, "bioformats2raw.layout": 3}}

_ONE: Final = {"SizeZ": 1, "SizeC": 1, "SizeT": 1}

# One field of view: its judged frames in order of time, all of one size.
Field = list[tuple[FrameRecord, TileScores]]


def export_ome_zarr(
    reader: Reader, path: Path, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write the stains of every judged frame; return the number of images.

    `progress` is called with the frames written so far.

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
    fields: list[tuple[FrameRecord, TileScores]] = []
    frames = 0
    with writing(path):
        shutil.rmtree(begun, ignore_errors=True)
        try:
            root = zarr.create_group(begun, zarr_format=3, attributes=_COLLECTION)
            for field in _fields(reader):
                mark = simulated[field[0][0].key.run]
                _write(zarr, begun, str(len(fields)), field, simulated=mark)
                fields.append(field[0])
                frames += len(field)
                progress(frames)
            series = {"version": VERSION, "series": [str(index) for index in range(len(fields))]}
            root.create_group("OME", attributes={"ome": series})
            (begun / "OME" / "METADATA.ome.xml").write_text(_describe(fields), encoding="utf-8")
            begun.rename(path)
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    return len(fields)


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


def _fields(reader: Reader) -> Iterator[Field]:
    """Yield each field of view; one that changed its size comes as several."""

    def well(frame: FrameRecord) -> tuple[str, str, str, str]:
        return frame.key.run, frame.key.plate, frame.key.well, frame.key.channel

    for _, frames in groupby(reader.frames(), well):
        judged = [frame for frame in frames if frame.efficiency is not None]
        for site in sorted({frame.key.site for frame in judged}):
            by_shape: dict[tuple[int, int], Field] = {}
            for frame in judged:
                scores = reader.tile_scores(frame.key) if frame.key.site == site else None
                if scores is not None:
                    shape = scores.grid.height, scores.grid.width
                    by_shape.setdefault(shape, []).append((frame, scores))
            yield from by_shape.values()


def _describe(fields: list[tuple[FrameRecord, TileScores]]) -> str:
    """Return the OME-XML of the collection: an image for each field, by its number."""
    root = Xml.Element("OME", {"xmlns": "http://www.openmicroscopy.org/Schemas/OME/2016-06"})
    for index, (record, scores) in enumerate(fields):
        image = Xml.SubElement(root, "Image", ID=f"Image:{index}", Name=_name(record.key))
        sizes = {"SizeX": scores.grid.width, "SizeY": scores.grid.height, **_ONE}
        described = {"ID": f"Pixels:{index}", "DimensionOrder": "XYZCT", "Type": "uint8"}
        described |= {axis: str(size) for axis, size in sizes.items()}
        pixels = Xml.SubElement(image, "Pixels", described)
        Xml.SubElement(pixels, "MetadataOnly")
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _name(key: FrameKey) -> str:
    return f"{key.run}/{key.plate}/{key.well}/s{key.site}"


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
    # The time axis has a scale only where the days between frames are all alike.
    regular = len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0], rtol=0.01)
    time = {"unit": "day"} if regular else {}
    mark = "SIMULATED " if simulated else ""
    return {
        "ome": {
            "version": VERSION,
            "multiscales": [
                {
                    "name": f"{mark}virtual stain of {_name(records[0].key)}",
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
