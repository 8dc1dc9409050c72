"""A z plan as a process: a real core takes stacks, and one writer writes them.

As `tests.writers.acquisition`, the core, its demo devices and the engine are Micro-Manager's and
pymmcore-plus's; the pixels are replaced: one plane of each stack is sharp, see `sharp_plane`.

    python -m tests.writers.z_plan WRITER DIR
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import useq
from ndstorage.ndtiff_dataset import NDTiffDataset
from numpy.typing import NDArray
from ome_writers import AcquisitionSettings, OmeTiffFormat, OmeZarrFormat
from pymmcore_plus.mda import MDAEngine

from tests.writers.acquisition import demo_core

with warnings.catch_warnings():
    # Deprecated in favour of ome-writers, and still in use.
    warnings.simplefilter("ignore", FutureWarning)
    from pymmcore_plus.mda.handlers import ImageSequenceWriter

SIZE_PX = 256
TIMES = 2
PLANES = 5
# Rows and columns of A1 and B2.
WELLS = ((0, 0), (1, 1))
SEQUENCE = useq.MDASequence(
    axis_order=("t", "p", "g", "c", "z"),
    stage_positions=useq.WellPlatePlan(
        plate=useq.WellPlate.from_str("96-well"),
        a1_center_xy=(0.0, 0.0),
        selected_wells=((0, 1), (0, 1)),
    ),
    channels=(useq.Channel(config="Phase", group="Channel", exposure=1.0),),
    z_plan=useq.ZRangeAround(range=16, step=4),
    time_plan=useq.TIntervalLoops(interval=timedelta(seconds=0.5), loops=TIMES),
)


def sharp_plane(time_point: int, position: int) -> int:
    """Return the index of the plane that is sharp."""
    return 1 + time_point + position


def take(time_point: int, position: int, z: int) -> NDArray[np.uint16]:
    """Return the image of a plane."""
    rng = np.random.default_rng((time_point, position, z))
    noise = rng.integers(200, 4000, (SIZE_PX, SIZE_PX)).astype(np.uint16)
    if z == sharp_plane(time_point, position):
        return noise
    return noise[::8, ::8].repeat(8, 0).repeat(8, 1)


class Engine(MDAEngine):
    """The engine of pymmcore-plus; the camera's pixels are replaced."""

    def exec_single_event(self, event: useq.MDAEvent) -> Iterator[Any]:
        """Snap, and yield the image of the plan."""
        for payload in super().exec_single_event(event):
            if payload is not None:
                _, of_event, meta = payload
                index = event.index
                yield take(index["t"], index["p"], index["z"]), of_event, meta


class Ndtiff:
    """ndstorage as a handler of pymmcore-plus, with the axes of pycro-manager."""

    def __init__(self, folder: Path) -> None:
        self._data_set = NDTiffDataset(str(folder), name="plate", writable=True)
        self._data_set.initialize({"Prefix": "plate", "ChNames": ["Phase"]})

    def frameReady(self, image: NDArray[Any], event: useq.MDAEvent, meta: Any) -> None:  # noqa: N802
        """Write a plane."""
        axes = {
            "time": event.index["t"],
            "position": event.pos_name,
            "channel": "Phase",
            "z": event.index["z"],
        }
        tags = {"Axes": axes, "PixelSizeUm": meta["pixel_size_um"], "PositionName": event.pos_name}
        self._data_set.put_image(axes, image, tags)

    def sequenceFinished(self, sequence: useq.MDASequence) -> None:  # noqa: N802
        """Close the data set."""
        self._data_set.finish()


def _tiff(folder: Path, **options: Any) -> AcquisitionSettings:
    root = str(folder / "plate.ome.tiff")
    return AcquisitionSettings(root_path=root, format=OmeTiffFormat(), **options)


def _zarr(folder: Path, backend: Any) -> AcquisitionSettings:
    root = str(folder / "plate.ome.zarr")
    return AcquisitionSettings(root_path=root, format=OmeZarrFormat(backend=backend))


OUTPUTS: Mapping[str, Callable[[Path], Any]] = {
    "ome-tiff": _tiff,
    "ome-tiff-lzw": lambda folder: _tiff(folder, compression="lzw"),
    "ome-zarr-tensorstore": lambda folder: _zarr(folder, "tensorstore"),
    "ome-zarr-acquire-zarr": lambda folder: _zarr(folder, "acquire-zarr"),
    "image-sequence": lambda folder: ImageSequenceWriter(folder / "sequence"),
    "ndtiff": Ndtiff,
}


def main() -> int:
    """Run the plan to its end."""
    writer, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    core = demo_core(SIZE_PX)
    core.mda.set_engine(Engine(core, use_hardware_sequencing=False))
    core.mda.run(SEQUENCE, output=OUTPUTS[writer](folder))
    reason = core.mda.status.finish_reason
    return 0 if reason is not None and reason.value == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
