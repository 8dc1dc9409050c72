"""Image files for the tests of sources."""

from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.config.sources import POSITION_LABEL
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.reading import FrameReading, ReadingSettings, read_frame
from scopewatch.sources.readers.image_file import list_planes

RUN = RunConfig(name="HES7")
FRAME = "plate_A1_s0_t0003_phase.tif"


def pixels(height: int = 24, width: int = 32, seed: int = 0) -> NDArray[np.uint16]:
    """Return some camera counts."""
    rng = np.random.default_rng(seed)
    return rng.integers(100, 4000, (height, width)).astype(np.uint16)


def stack(sharp: int, planes: int = 3) -> NDArray[np.uint16]:
    """Planes of noise; all but one are averaged over 4 px."""
    noise = [pixels(32, 32, seed=seed).astype(np.float64) for seed in range(planes)]
    coarse = [
        each.reshape(8, 4, 8, 4).mean(axis=(1, 3)).repeat(4, 0).repeat(4, 1) for each in noise
    ]
    return np.array([noise[z] if z == sharp else coarse[z] for z in range(planes)]).astype(
        np.uint16
    )


def write(path: Path, image: NDArray[Any] | None = None, **options: Any) -> Path:
    """Write a TIFF and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"photometric": "minisblack", "metadata": None, **options}
    tifffile.imwrite(path, pixels() if image is None else image, **options)
    return path


def folder_config(path: Path, **changes: Any) -> FolderSourceConfig:
    """Return the configuration of a folder source without settling time."""
    return FolderSourceConfig(kind="folder", path=path, **{"settle_s": 0, **changes})


def read_frames(path: Path, **settings: Any) -> list[FrameReading]:
    """Return the frames in a file, by the metadata of the file."""
    reading = ReadingSettings(
        run=RUN, position=PositionPattern(POSITION_LABEL), zone=UTC, **settings
    )
    return [read_frame(plane.statements, reading, path) for plane in list_planes(path).planes]
