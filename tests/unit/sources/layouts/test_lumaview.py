"""Images of LumaViewPro, written by the calls of tifffile that its source code makes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile

from scopewatch.sources.folder.frames import FolderFrames
from tests.unit.sources.images import RUN, folder_config, pixels

UM_PER_PX = 0.5372
Kind = Literal["plain", "imagej", "ome"]


def write_image(path: Path, kind: Kind) -> None:
    """Write an image of 8 bits, of 16 bits (ImageJ), or as OME-TIFF."""
    metadata: dict[str, Any] = {
        "axes": "YX",
        "PhysicalSizeX": UM_PER_PX,
        "PhysicalSizeXUnit": "um",
        "PhysicalSizeY": UM_PER_PX,
        "PhysicalSizeYUnit": "um",
        "Channel": {"Name": ["PC"]},
        "Plane": {"PositionX": 14.38, "PositionXUnit": "mm", "ExposureTime": 12.5},
    }
    options: dict[str, Any] = {"compression": "lzw", "resolutionunit": "CENTIMETER"}
    per_unit = 1e4 / UM_PER_PX
    if kind == "imagej":
        metadata["unit"] = "um"
        options, per_unit = {"compression": "deflate"}, 1 / UM_PER_PX
    data = pixels(160, 192)
    if kind == "plain":
        data = (data % 256).astype(np.uint8)
        options["tile"] = (128, 128)
    with tifffile.TiffWriter(path, imagej=kind == "imagej", ome=kind == "ome") as file:
        file.write(
            data,
            photometric="minisblack",
            resolution=(per_unit, per_unit),
            metadata=metadata,
            datetime="2026:03:02 09:30:00",
            software="LumaViewPro 4.0",
            **options,
        )


@pytest.mark.parametrize(
    ("kind", "suffix"), [("plain", ".tiff"), ("imagej", ".tiff"), ("ome", ".ome.tiff")]
)
def test_an_image_has_well_tile_scan_channel_scale_and_time(
    tmp_path: Path, kind: Kind, suffix: str
) -> None:
    write_image(tmp_path / f"run 8_B12_PC_TB2_4xOly_0012{suffix}", kind)
    config = folder_config(tmp_path, pattern="lumaview", clock_zone="UTC")
    frames = FolderFrames(config, RUN.model_copy(update={"phase_channel": "PC"}))
    (found,) = frames.read(f"run 8_B12_PC_TB2_4xOly_0012{suffix}", "x", lambda *_: True).found
    assert str(found.key) == "HES7/run 8/B12/s102/t0012/PC"
    assert found.reading is not None
    assert found.reading.pixel_size_um == pytest.approx(UM_PER_PX, rel=1e-3)
    assert found.reading.acquired_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
