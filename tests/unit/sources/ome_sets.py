"""OME-TIFF sets of a plate, written by ome-writers with the options of pymmcore-plus."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import ome_writers
import tifffile
import useq
from numpy.typing import NDArray

from tests.unit.sources.images import pixels

WELLS = ("A1", "B3")
CHANNELS = ("Phase", "GFP")
PIXEL_UM = 0.65
Arrangement = Literal["redundant", "master-tiff", "companion-file"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """One plane of a set: its place, and its frame."""

    file: str
    page: int
    well: str
    site: int
    time: int
    channel: str
    pixels: NDArray[np.uint16]


def plan(times: int, interval_s: float = 3600) -> useq.MDASequence:
    """Two sites in each of two wells, two channels, one plane after the other."""
    return useq.MDASequence.model_validate(
        {
            "stage_positions": useq.WellPlatePlan.model_validate(
                {
                    "plate": "96-well",
                    "a1_center_xy": (0, 0),
                    "selected_wells": ([0, 1], [0, 2]),
                    "well_points_plan": useq.GridRowsColumns(
                        rows=1, columns=2, fov_width=100, fov_height=100
                    ),
                }
            ),
            "channels": CHANNELS,
            "time_plan": {"interval": interval_s, "loops": times},
            "axis_order": "tpc",
        }
    )


class PlateWriter:
    """Writes the planes of a set one after another.

    Parameters
    ----------
    times
        Number of planned time points; None: no end is planned.
    """

    def __init__(
        self,
        folder: Path,
        *,
        times: int | None = 3,
        arrangement: Arrangement = "redundant",
        compression: str | None = None,
        pixel_um: float | None = PIXEL_UM,
    ) -> None:
        sequence = plan(times or 100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            planned = ome_writers.useq_to_acquisition_settings(
                sequence, 32, 24, pixel_size_um=pixel_um
            )
            if times is None:
                planned["dimensions"][0].count = None
            settings = {
                **planned,
                "root_path": str(folder),
                "dtype": "uint16",
                "compression": compression,
                "format": ome_writers.OmeTiffFormat(multi_file_metadata=arrangement),
            }
            self._stream = ome_writers.create_stream(
                ome_writers.AcquisitionSettings.model_validate(settings)
            )
        self._folder = folder
        self._events = list(sequence)
        self.written: list[Written] = []

    def add(self, planes: int = 1, **metadata: Any) -> None:
        """Write the next planes in the order of the plan's events."""
        for _ in range(planes):
            number = len(self.written)
            index = self._events[number].index
            image = pixels(seed=number)
            reported = {"delta_t": 3600.0 * index["t"] + index["p"], **metadata}
            self._stream.append(image, frame_metadata=reported)
            self.written.append(
                Written(
                    file=f"{self._folder.name}_p{index['p']:03}.ome.tiff",
                    page=index["t"] * len(CHANNELS) + index["c"],
                    well=WELLS[index["p"] // 2],
                    site=index["p"] % 2,
                    time=index["t"],
                    channel=CHANNELS[index["c"]],
                    pixels=image,
                )
            )

    def settle(self) -> None:
        """Wait until all planes are on disk: each file has a thread that writes it."""
        deadline = time.monotonic() + 30
        backend: Any = self._stream._backend
        for manager in backend._position_managers.values():
            name = Path(manager.file_path).name
            added = sum(each.file == name for each in self.written)
            while manager.thread is not None and manager.thread.frames_written < added:
                assert time.monotonic() < deadline, f"{name} is not written"
                time.sleep(0.001)

    def image(self, path: Path, page: int) -> NDArray[np.uint16]:
        """The pixels of a plane."""
        (plane,) = [each for each in self.written if each.file == path.name and each.page == page]
        return plane.pixels

    def close(self) -> None:
        """End the acquisition: directories and times are written now."""
        self._stream.close()


def edit_xml(path: Path, change: Callable[[str], str]) -> None:
    """Rewrite the OME-XML of a file, as a program does that edits it."""
    xml = tifffile.tiffcomment(path)
    assert isinstance(xml, str)
    tifffile.tiffcomment(path, change(xml).encode())


@contextmanager
def plate(folder: Path, **options: Any) -> Iterator[PlateWriter]:
    """A set that is being written; closed at the end."""
    writer = PlateWriter(folder, **options)
    try:
        yield writer
    finally:
        writer.close()


@contextmanager
def endless_position(
    path: Path, compression: str | None
) -> Iterator[Callable[[NDArray[np.uint16]], None]]:
    """One position, C7, without a planned end; yields a function that adds a frame and waits."""
    position = useq.WellPlatePlan.model_validate(
        {"plate": "96-well", "a1_center_xy": (0, 0), "selected_wells": ([2], [6])}
    )
    sequence = useq.MDASequence.model_validate(
        {
            "stage_positions": position,
            "channels": CHANNELS[:1],
            "time_plan": {"interval": 60, "loops": 2},
            "axis_order": "tpc",
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        planned = ome_writers.useq_to_acquisition_settings(
            sequence, 256, 256, pixel_size_um=PIXEL_UM
        )
    planned["dimensions"][0].count = None
    settings = {
        **planned,
        "root_path": str(path),
        "dtype": "uint16",
        "compression": compression,
        "format": ome_writers.OmeTiffFormat(),
    }
    stream = ome_writers.create_stream(ome_writers.AcquisitionSettings.model_validate(settings))
    backend: Any = stream._backend
    (manager,) = backend._position_managers.values()
    added = 0

    def add(image: NDArray[np.uint16]) -> None:
        nonlocal added
        stream.append(image)
        added += 1
        deadline = time.monotonic() + 30
        while manager.thread is None or manager.thread.frames_written < added:
            assert time.monotonic() < deadline, "it is not written"
            time.sleep(0.001)

    try:
        yield add
    finally:
        stream.close()


def whole_plate(folder: Path, **options: Any) -> list[Written]:
    """Write a whole set."""
    with plate(folder, **options) as writer:
        writer.add(options.get("times", 3) * len(WELLS) * 2 * len(CHANNELS))
    return writer.written
