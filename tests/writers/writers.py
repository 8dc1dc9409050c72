"""The writers that are tried: their output option for pymmcore-plus, and their files on disk."""

import json
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import useq
from ndstorage.ndtiff_dataset import NDTiffDataset
from numpy.typing import NDArray
from ome_writers import AcquisitionSettings, OmeTiffFormat, OmeZarrFormat

from tests.writers.on_disk import (
    contiguous_planes,
    holds_chunk,
    indexed_axes,
    parses,
    whole_pages,
)
from tests.writers.plan import CHANNELS, Place, Plan

with warnings.catch_warnings():
    # Deprecated in favour of ome-writers, and still in use.
    warnings.simplefilter("ignore", FutureWarning)
    from pymmcore_plus.mda.handlers import ImageSequenceWriter, OMETiffWriter

ZarrBackend = Literal["tensorstore", "zarr-python", "acquire-zarr"]
MetadataIn = Literal["redundant", "master-tiff", "companion-file"]


class Writer(ABC):
    """One way to write the plan into a folder."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    @abstractmethod
    def output(self) -> Any:
        """Return the `output` for `run_mda`."""

    def overrides(self) -> dict[str, Any]:
        """Return the `dimension_overrides` for `run_mda`."""
        return {}

    @abstractmethod
    def is_written(self, place: Place) -> bool:
        """Return whether all bytes of a frame that was passed on are on disk by now."""

    def is_named(self, place: Place) -> bool:
        """Return whether a file beside a written frame names it by now."""
        return True


class OmeTiff(Writer):
    """ome-writers 0.3.2, the default of pymmcore-plus: one file for each position.

    Parameters
    ----------
    metadata
        Where the OME-XML of all positions is: in each file, in the first, in a file beside them.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        compression: Literal["lzw"] | None = None,
        metadata: MetadataIn = "redundant",
    ) -> None:
        super().__init__(folder, plan)
        self._compression = compression
        self._metadata: MetadataIn = metadata

    def output(self) -> AcquisitionSettings:
        """Return settings for `plate/plate_p000.ome.tiff` and so on."""
        return AcquisitionSettings(
            root_path=str(self.folder / "plate.ome.tiff"),
            format=OmeTiffFormat(multi_file_metadata=self._metadata),
            compression=self._compression,
        )

    def is_written(self, place: Place) -> bool:
        """Return whether the file is long enough, or the frame's directory and strips are there."""
        path = self.folder / "plate" / f"plate_p{place.position:03}.ome.tiff"
        before = place.time_point * len(CHANNELS) + place.channel
        if self._compression is None:
            return contiguous_planes(path, 2 * self.plan.size_px**2) > before
        return whole_pages(path) > before

    def is_named(self, place: Place) -> bool:
        """Return whether the file with the OME-XML is there."""
        if self._metadata == "companion-file":
            return (self.folder / "plate" / "companion.ome").exists()
        return True


class OmeZarr(Writer):
    """ome-writers 0.3.2: an OME-Zarr 0.5 plate.

    Parameters
    ----------
    chunk_t
        Time points in one chunk.
    shard
        Time points and channels in one shard; None: each chunk is a file of its own.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        backend: ZarrBackend,
        chunk_t: int = 1,
        shard: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(folder, plan)
        self._backend: ZarrBackend = backend
        self._chunk_t = chunk_t
        # acquire-zarr writes shards of one chunk where none are asked for.
        self._shard = shard or ((1, 1) if backend == "acquire-zarr" else None)

    def output(self) -> AcquisitionSettings:
        """Return settings for `plate.ome.zarr`."""
        return AcquisitionSettings(
            root_path=str(self.folder / "plate.ome.zarr"),
            format=OmeZarrFormat(backend=self._backend),
        )

    def overrides(self) -> dict[str, Any]:
        """Return how time points and channels are arranged in files."""
        changes: dict[str, dict[str, int]] = {"t": {"chunk_size": self._chunk_t}, "c": {}}
        if self._shard is not None:
            for axis, chunks in zip("tc", self._shard, strict=True):
                changes[axis]["shard_size_chunks"] = chunks
        return changes

    def is_written(self, place: Place) -> bool:
        """Return whether the chunk is there: under its final name, or in the index of its shard."""
        t, c = place.time_point // self._chunk_t, place.channel
        if self._shard is None:
            return (self._array(place) / f"c/{t}/{c}/0/0").exists()
        shard_t, shard_c = self._shard
        shard = self._array(place) / f"c/{t // shard_t}/{c // shard_c}/0/0"
        return holds_chunk(shard, t % shard_t * shard_c + c % shard_c, shard_t * shard_c)

    def is_named(self, place: Place) -> bool:
        """Return whether the array is described, which acquire-zarr does after a time point."""
        return parses(self._array(place) / "zarr.json")

    def _array(self, place: Place) -> Path:
        well = self.folder / "plate.ome.zarr" / place.well[0] / place.well[1:]
        return well / f"fov{place.site}" / "0"


class Noting(Writer):
    """A writer that records what it has written: its calls return when it has."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        super().__init__(folder, plan)
        self._lock = threading.Lock()
        self._written: set[tuple[int, int, int]] = set()

    def note(self, event: useq.MDAEvent) -> None:
        """Record that the bytes of an event's frame are on disk."""
        with self._lock:
            self._written.add((event.index["t"], event.index["p"], event.index["c"]))

    def is_written(self, place: Place) -> bool:
        """Return whether it was recorded."""
        with self._lock:
            return (place.time_point, place.position, place.channel) in self._written


class ImageSequence(Noting):
    """pymmcore-plus 0.18.1: one TIFF file for each frame, and a side file that names them."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        super().__init__(folder, plan)
        self._named: set[int] = set()
        self._seen = (0, 0)

    def output(self) -> Any:
        """Return the writer; its folder must not exist yet."""
        note = self.note

        class NotingWriter(ImageSequenceWriter):
            def frameReady(  # noqa: N802
                self, frame: NDArray[Any], event: useq.MDAEvent, meta: Any, /
            ) -> None:
                super().frameReady(frame, event, meta)
                note(event)

        return NotingWriter(self.folder / "sequence")

    def is_named(self, place: Place) -> bool:
        """Return whether the side file lists the frame's position, for this or another frame."""
        if place.position not in self._named:
            self._read_names(self.folder / "sequence" / ImageSequenceWriter.FRAME_META_PATH)
        return place.position in self._named

    def _read_names(self, side_file: Path) -> None:
        if not side_file.exists():
            return
        now = side_file.stat()
        if (now.st_mtime_ns, now.st_size) == self._seen or not parses(side_file):
            return
        self._seen = (now.st_mtime_ns, now.st_size)
        frames = json.loads(side_file.read_bytes())
        self._named = {entry["mda_event"]["index"]["p"] for entry in frames.values()}


class MappedOmeTiff(Noting):
    """pymmcore-plus 0.18.1's own OME-TIFF writer: preallocated files that are filled by mmap."""

    def output(self) -> Any:
        """Return the writer; it flushes its map after each frame."""
        note = self.note

        class NotingWriter(OMETiffWriter):
            def frameReady(  # noqa: N802
                self, frame: NDArray[Any], event: useq.MDAEvent, meta: Any
            ) -> None:
                super().frameReady(frame, event, meta)
                note(event)

        return NotingWriter(self.folder / "plate.ome.tif")


class Ndtiff(Noting):
    """ndstorage 0.1.18, as a handler of pymmcore-plus.

    Parameters
    ----------
    labels
        Whether the axis `position` holds the position's label, as from pycro-manager; otherwise its
        index, as from Micro-Manager, and the label is in the image's metadata.
    axes
        Whether the metadata of an image hold its axes, as pycro-manager adds them. ndstorage
        itself writes them into the index alone, which it keeps back until 8 KiB have gathered.
    """

    def __init__(self, folder: Path, plan: Plan, *, labels: bool = True, axes: bool = True) -> None:
        super().__init__(folder, plan)
        self._labels = labels
        self._axes = axes
        self._data_set: NDTiffDataset | None = None

    def output(self) -> Any:
        """Return this handler."""
        return self

    def is_named(self, place: Place) -> bool:
        """Return whether image or index state the axes by now."""
        index = self.folder / "plate_1" / "NDTiff.index"
        return self._axes or frozenset(self._axes_of(place).items()) in indexed_axes(index)

    def sequenceStarted(self, sequence: useq.MDASequence, meta: Any) -> None:  # noqa: N802
        """Begin the data set."""
        positions = [{"Label": position.name} for position in sequence.stage_positions]
        summary: dict[str, Any] = {"Prefix": "plate", "ChNames": list(CHANNELS)}
        if not self._labels:
            summary["StagePositions"] = positions
        self._data_set = NDTiffDataset(str(self.folder), name="plate", writable=True)
        self._data_set.initialize(summary)

    def frameReady(  # noqa: N802
        self, image: NDArray[np.uint16], event: useq.MDAEvent, meta: Any
    ) -> None:
        """Write one frame; ndstorage flushes it."""
        if self._data_set is None:
            raise RuntimeError("a frame before the data set")
        index = event.index
        place = self.plan.place(time_point=index["t"], position=index["p"], channel=index["c"])
        axes = self._axes_of(place)
        of_image: dict[str, Any] = {
            "PixelSizeUm": meta["pixel_size_um"],
            "ElapsedTime-ms": meta["runner_time_ms"],
            "Channel": CHANNELS[place.channel],
            "PositionName": event.pos_name,
        }
        if self._axes:
            of_image["Axes"] = axes
        self._data_set.put_image(axes, image, of_image)
        self.note(event)

    def sequenceFinished(self, sequence: useq.MDASequence) -> None:  # noqa: N802
        """End the data set."""
        if self._data_set is not None:
            self._data_set.finish()

    def _axes_of(self, place: Place) -> dict[str, int | str]:
        if self._labels:
            label = f"{place.well}_{place.site:04}"
            return {
                "time": place.time_point,
                "position": label,
                "channel": CHANNELS[place.channel],
            }
        return {"time": place.time_point, "position": place.position, "channel": place.channel}


def _zarr(
    backend: ZarrBackend, *, chunk_t: int = 1, shard: tuple[int, int] | None = None
) -> Callable[[Path, Plan], Writer]:
    return lambda folder, plan: OmeZarr(folder, plan, backend=backend, chunk_t=chunk_t, shard=shard)


WRITERS: Mapping[str, Callable[[Path, Plan], Writer]] = {
    "ome-tiff": OmeTiff,
    "ome-tiff-lzw": lambda folder, plan: OmeTiff(folder, plan, compression="lzw"),
    "ome-tiff-master": lambda folder, plan: OmeTiff(folder, plan, metadata="master-tiff"),
    "ome-tiff-companion": lambda folder, plan: OmeTiff(folder, plan, metadata="companion-file"),
    "ome-tiff-mapped": MappedOmeTiff,
    "ome-zarr-tensorstore": _zarr("tensorstore"),
    "ome-zarr-zarr-python": _zarr("zarr-python"),
    "ome-zarr-acquire-zarr": _zarr("acquire-zarr"),
    "ome-zarr-tensorstore-chunks": _zarr("tensorstore", chunk_t=2),
    "ome-zarr-tensorstore-shards": _zarr("tensorstore", shard=(2, 2)),
    "ome-zarr-zarr-python-shards": _zarr("zarr-python", shard=(2, 2)),
    "ome-zarr-acquire-zarr-shards": _zarr("acquire-zarr", shard=(2, 2)),
    "image-sequence": ImageSequence,
    "ndtiff": Ndtiff,
    "ndtiff-numbers": lambda folder, plan: Ndtiff(folder, plan, labels=False),
    "ndtiff-index-only": lambda folder, plan: Ndtiff(folder, plan, axes=False),
}
