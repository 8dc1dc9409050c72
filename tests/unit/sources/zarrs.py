"""OME-Zarr stores written with zarr-python, NGFF 0.4 (Zarr v2) or 0.5 (Zarr v3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import zarr
from numpy.typing import NDArray

from scopewatch.config import OmeZarrSourceConfig
from tests.unit.sources.images import pixels

HEIGHT, WIDTH = 24, 32
_KINDS = {"t": "time", "c": "channel"}


def omezarr_config(path: Path, **changes: Any) -> OmeZarrSourceConfig:
    """Return the configuration of an OME-Zarr source whose own looks are too rare to matter."""
    return OmeZarrSourceConfig(kind="ome-zarr", path=path, **{"poll_s": 3600, **changes})


class ZarrImage:
    """An image of a store; `folder` is the folder of its array."""

    def __init__(self, folder: Path, array: Any, axes: str) -> None:
        self.folder = folder
        self._array = array
        self._axes = axes

    def put(self, image: NDArray[Any] | None = None, **at: int) -> Path:
        """Write a plane, by default that of its time point; return its chunk file."""
        index = tuple(at.get(axis, 0) for axis in self._axes if axis not in "yx")
        plane = pixels(HEIGHT, WIDTH, seed=at.get("t", 0)) if image is None else image
        if self._axes.index("x") < self._axes.index("y"):
            plane = plane.T
        where = iter(index)
        self._array[tuple(slice(None) if a in "yx" else next(where) for a in self._axes)] = plane
        return self.chunk(*index)

    def resize(self, **sizes: int) -> None:
        """Extend it along its axes."""
        known = dict(zip(self._axes, self._array.shape, strict=True))
        self._array.resize(tuple((known | sizes)[axis] for axis in self._axes))

    def chunk(self, *index: int) -> Path:
        """Return the file of a plane that has its own chunk."""
        where = iter(index)
        key = self._array.metadata.encode_chunk_key(
            tuple(0 if axis in "yx" else next(where) for axis in self._axes)
        )
        return self.folder / str(key)


class ZarrStore:
    """A store whose folder is created here, `HES7.zarr` by default."""

    def __init__(self, folder: Path, name: str = "HES7.zarr", *, version: str = "0.5") -> None:
        self.path = folder / name
        zarr_format: Literal[2, 3] = 3 if version == "0.5" else 2
        self._version = version
        self._root: Any = zarr.create_group(self.path, zarr_format=zarr_format)

    def describe(self, group: str, **attributes: Any) -> None:
        """Write OME metadata of a group."""
        node = self._group(group)
        if self._version == "0.5":
            node.attrs["ome"] = {"version": "0.5", **node.attrs.get("ome", {}), **attributes}
        else:
            node.attrs.update(attributes)

    def plate(self, wells: dict[str, Sequence[str]], name: str | None = "P7") -> None:
        """Write the metadata of a plate of 96 wells and of its wells."""
        rows = [{"name": chr(ord("A") + row)} for row in range(8)]
        columns = [{"name": str(column + 1)} for column in range(12)]
        entries = [
            {
                "path": path,
                "rowIndex": ord(path[0]) - ord("A"),
                "columnIndex": int(path.split("/")[1]) - 1,
            }
            for path in wells
        ]
        plate = {"rows": rows, "columns": columns, "wells": entries, "version": self._version}
        self.describe("", plate=plate | ({"name": name} if name else {}))
        for path, images in wells.items():
            listed = [{"path": image} for image in images]
            self.describe(path, well={"images": listed, "version": self._version})

    def image(
        self,
        group: str = "",
        axes: str = "tcyx",
        *,
        channels: Sequence[str] = ("Phase",),
        scale: Sequence[float] | None = None,
        units: dict[str, str] | None = None,
        multiscale: dict[str, Any] | None = None,
        size: dict[str, int] | None = None,
        **array: Any,
    ) -> ZarrImage:
        """Create an image without planes: 20 time points unless `size` is given."""
        sizes = {"t": 20, "c": max(1, len(channels)), "z": 1, "y": HEIGHT, "x": WIDTH}
        sizes |= size or {}
        reported = {"y": "micrometer", "x": "micrometer", **(units or {})}
        named = [
            {"name": axis, "type": _KINDS.get(axis, "space")}
            | ({"unit": reported[axis]} if axis in reported else {})
            for axis in axes
        ]
        steps = scale or [0.65 if axis in "yx" else 1 for axis in axes]
        dataset = {
            "path": "0",
            "coordinateTransformations": [{"type": "scale", "scale": list(steps)}],
        }
        entry = {"axes": named, "datasets": [dataset], "version": self._version}
        window = {"min": 0, "max": 65535, "start": 0, "end": 65535}
        omero = {
            "channels": [
                {"label": label, "color": "FFFFFF", "window": window} for label in channels
            ]
        }
        channel_metadata = {"omero": omero} if channels else {}
        self.describe(group, multiscales=[entry | (multiscale or {})], **channel_metadata)
        chunk = [sizes[axis] if axis in "yx" else 1 for axis in axes]
        options = {"chunks": chunk, "dtype": "uint16", "compressors": None, **array}
        if self._version == "0.5":
            options["dimension_names"] = tuple(axes)
        made = self._group(group).create_array("0", shape=[sizes[axis] for axis in axes], **options)
        return ZarrImage(self.path / group / "0", made, axes)

    def _group(self, path: str) -> Any:
        return self._root.require_group(path) if path else self._root


def write_times(folder: Path, first: int, count: int) -> None:
    """Write time points of one image of the run HES7, after the present ones."""
    path = folder / "HES7.zarr"
    if not path.exists():
        ZarrStore(folder).image(axes="tyx")
    array: Any = zarr.open_array(path / "0")
    for time in range(first, first + count):
        array[time] = pixels(seed=time)


def chunk_files(folder: Path) -> list[Path]:
    """Return the chunk files of the stores in a folder."""
    metadata = {"zarr.json", ".zarray", ".zattrs", ".zgroup"}
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in metadata]
