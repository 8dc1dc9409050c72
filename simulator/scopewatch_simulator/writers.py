"""Writes simulated frames as plain TIFF, OME-TIFF or NDTiff, each with pixel size and time."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import tifffile
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_simulator.plan import (
    INTERVAL_H,
    PLATE,
    UM_PER_PX,
    acquired_at,
    well_name,
)

_SOFTWARE = "scopewatch simulator (simulated image)"


class FileFormat(StrEnum):
    """Formats of simulated frames."""

    TIFF = "tiff"
    OME_TIFF = "ome-tiff"
    NDTIFF = "ndtiff"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameName:
    """Name of a frame within its run; `channel` is `phase` or `gfp`."""

    run: int
    well: int
    site: int
    time_point: int
    channel: str

    @property
    def stem(self) -> str:
        """File name without extension: `P1_A1_s0_t0020_phase`."""
        return f"{PLATE}_{well_name(self.well)}_s{self.site}_t{self.time_point:04d}_{self.channel}"


class Writer(Protocol):
    """Writes the frames of one run."""

    def write(self, name: FrameName, pixels: NDArray[np.uint16]) -> Path:
        """Write one (H, W) frame; return its file or data set."""
        ...


def open_writer(file_format: FileFormat, folder: Path) -> AbstractContextManager[Writer]:
    """Return the writer of a run's frames into `folder`, which is made."""
    match file_format:
        case FileFormat.TIFF:
            return TiffWriter(folder)
        case FileFormat.OME_TIFF:
            return OmeTiffWriter(folder)
        case FileFormat.NDTIFF:
            return NDTiffWriter(folder)


class TiffWriter:
    """One baseline TIFF per frame, with resolution and DateTime tags."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def write(self, name: FrameName, pixels: NDArray[np.uint16]) -> Path:
        """Write one frame."""
        path = self._folder / f"{name.stem}.tif"
        tifffile.imwrite(
            path,
            pixels,
            photometric="minisblack",
            metadata=None,
            software=_SOFTWARE,
            datetime=acquired_at(name.run, name.time_point),
            resolution=(1e4 / UM_PER_PX, 1e4 / UM_PER_PX),
            resolutionunit="CENTIMETER",
        )
        return path


class OmeTiffWriter(TiffWriter):
    """One OME-TIFF per frame, with physical size, channel, time and acquisition date."""

    def write(self, name: FrameName, pixels: NDArray[np.uint16]) -> Path:
        """Write one frame."""
        path = self._folder / f"{name.stem}.ome.tif"
        moment = acquired_at(name.run, name.time_point)
        tifffile.imwrite(
            path,
            pixels,
            ome=True,
            photometric="minisblack",
            software=_SOFTWARE,
            datetime=moment,
            resolution=(1e4 / UM_PER_PX, 1e4 / UM_PER_PX),
            resolutionunit="CENTIMETER",
            metadata={
                "axes": "YX",
                "Name": f"{well_name(name.well)}-Site_{name.site}",
                "Description": _SOFTWARE,
                "AcquisitionDate": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "PhysicalSizeX": UM_PER_PX,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": UM_PER_PX,
                "PhysicalSizeYUnit": "µm",
                "Channel": {"Name": name.channel},
                "Plane": {
                    "DeltaT": name.time_point * INTERVAL_H * 3600,
                    "DeltaTUnit": "s",
                },
            },
        )
        return path


class NDTiffWriter:
    """One NDTiff data set per run: axes position (`A1-Site_0`), time, channel.

    Raises
    ------
    ConfigError
        When ndstorage, an extra, is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from ndstorage import NDTiffDataset  # noqa: PLC0415  an extra, only needed here
        except ImportError as error:
            raise ConfigError(
                complaint(
                    "NDTiff cannot be written",
                    where=error.name,
                    do="install it: pip install 'scopewatch[micromanager]'",
                )
            ) from error
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        # ndstorage joins file names to this path as text.
        self._dataset: Any = NDTiffDataset(str(folder) + os.sep, writable=True)
        self._dataset.initialize(
            {"PixelSize_um": UM_PER_PX, "Prefix": folder.name, "Comment": _SOFTWARE}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        writer = self._dataset.current_writer
        self._dataset.finish()
        if writer is not None:
            # ndstorage leaves the reader that its writer opened for itself open.
            writer.reader.close()
        self._dataset.close()

    def write(self, name: FrameName, pixels: NDArray[np.uint16]) -> Path:
        """Append one frame."""
        moment = acquired_at(name.run, name.time_point).astimezone(UTC)
        position = f"{well_name(name.well)}-Site_{name.site}"
        axes = {"position": position, "time": name.time_point, "channel": name.channel}
        self._dataset.put_image(
            axes,
            pixels,
            {
                "Axes": axes,
                "PositionName": position,
                "Channel": name.channel,
                "PixelSizeUm": UM_PER_PX,
                "PixelSize_um": UM_PER_PX,
                "ElapsedTime-ms": name.time_point * INTERVAL_H * 3_600_000,
                "ReceivedTime": moment.strftime("%Y-%m-%d %H:%M:%S.000 +0000"),
                "Simulated": True,
            },
        )
        return self._folder
