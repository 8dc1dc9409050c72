"""NDTiff data sets written by the storage that pycro-manager uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ndstorage import NDTiffDataset
from numpy.typing import NDArray

from scopewatch.config import NDTiffSourceConfig
from tests.unit.sources.images import pixels

SUMMARY = {"DateAndTime": "2026/03/01 09:00:00", "PixelSize_um": 0.65}


class Writer:
    """An open data set; `path` is its folder."""

    def __init__(
        self, folder: Path, name: str = "HES7", summary: dict[str, Any] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._storage = NDTiffDataset(str(folder), name=name, writable=True)
        self._storage.initialize({**SUMMARY, **(summary or {})})
        self.path = Path(self._storage.path)
        self._reader: Any = None

    @property
    def tiff(self) -> Path:
        """The (first) TIFF of the data set."""
        return next(self.path.glob("*NDTiffStack.tif"))

    def add(
        self,
        time: int | str = 0,
        position: str | int | None = "A1",
        image: NDArray[Any] | None = None,
        tags: dict[str, Any] | None = None,
        **axes: Any,
    ) -> None:
        """Put an image on disk, as an acquisition does; the index is not flushed."""
        axes = {"time": time, **axes}
        if position is not None:
            axes["position"] = position
        second = int(time) if str(time).isdecimal() else 0
        reported = {
            "Axes": axes,
            "Time": f"2026-03-01 09:00:{second % 60:02d} +0000",
            **(tags or {}),
        }
        self._storage.put_image(axes, pixels(seed=second) if image is None else image, reported)
        self._reader = self._storage.current_writer.reader

    def finish(self) -> None:
        """Close the data set: the TIFF is truncated and the index is written."""
        self._storage.finish()
        if self._reader is not None:
            self._reader.close()
        self._storage.close()


@contextmanager
def writing(
    folder: Path, name: str = "HES7", summary: dict[str, Any] | None = None
) -> Iterator[Writer]:
    """Write a data set and close it at the end."""
    writer = Writer(folder, name, summary)
    try:
        yield writer
    finally:
        writer.finish()


def write_data_set(folder: Path, times: int = 3, name: str = "HES7", **axes: Any) -> Path:
    """Write a whole data set and return its folder."""
    with writing(folder, name) as writer:
        for time in range(times):
            writer.add(time, **axes)
    return writer.path


def ndtiff_config(path: Path, **changes: Any) -> NDTiffSourceConfig:
    """Return the configuration of an NDTiff source whose own looks are too rare to matter."""
    return NDTiffSourceConfig(kind="ndtiff", path=path, **{"poll_s": 3600, **changes})
