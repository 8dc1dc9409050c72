"""Reads pixels of OME-Zarr arrays with zarr, an optional extra (`scopewatch[zarr]`).

The store is opened read-only, and only on local paths.
"""

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.omezarr.array.chunks import Extent
from scopewatch.sources.omezarr.array.layout import ArrayLayout
from scopewatch.sources.omezarr.array.packed import inflates
from scopewatch.sources.omezarr.image import PlaneIndex
from scopewatch.sources.readers.decode import DECODE_FAULTS, as_grey, undecodable

_INFLATED = ("gzip", "zlib")
# RuntimeError: raised by blosc, LZ4 and Zstandard.
_FAULTS = (RuntimeError, *DECODE_FAULTS)


def require_zarr(where: object) -> None:
    """Refuse to continue without zarr.

    Raises
    ------
    ConfigError
        With the command that installs it.
    """
    try:
        there = importlib.util.find_spec("zarr") is not None
    except ValueError:
        there = False
    if not there:
        raise ConfigError(
            complaint(
                "OME-Zarr stores cannot be read",
                where=where,
                got="no zarr package",
                do="install it: pip install 'scopewatch[zarr]'",
            )
        )


def read_planes(
    folder: Path, layout: ArrayLayout, planes: Sequence[PlaneIndex], extents: Sequence[Extent]
) -> list[Pixels]:
    """Unpack planes of one unit.

    Parameters
    ----------
    folder
        Folder of the array.
    extents
        Places of the chunks of the unit; checked before they are unpacked.

    Returns
    -------
    (H, W) uint8 or uint16 for each plane.

    Raises
    ------
    FrameError
        When they cannot be unpacked, or are not grey pixels.
    """
    _check_inflated(layout, extents)
    low = [min(plane[axis] for plane in planes) for axis in range(len(planes[0]))]
    high = [max(plane[axis] for plane in planes) + 1 for axis in range(len(planes[0]))]
    try:
        block = _read_block(folder, layout, low, high)
    except _FAULTS as error:
        raise undecodable(folder, error) from error
    return [
        as_grey(block[tuple(at - first for at, first in zip(plane, low, strict=True))], folder)
        for plane in planes
    ]


def _read_block(
    folder: Path, layout: ArrayLayout, low: Sequence[int], high: Sequence[int]
) -> NDArray[Any]:
    """Return planes from `low` to `high` as an array (..., H, W)."""
    import zarr  # noqa: PLC0415 - heavy, and an optional extra
    from zarr.storage import LocalStore, StorePath  # noqa: PLC0415

    # The operator needs to know whether planes can be read, not which codecs are standard.
    warnings.filterwarnings("ignore", "Numcodecs codecs are not in the Zarr version 3", UserWarning)
    shape = list(layout.shape)
    ranges: list[slice] = [slice(None)] * len(shape)
    for dim, first, last in zip(layout.plane_dims, low, high, strict=True):
        ranges[dim] = slice(first, last)
        # A writer may update the declared size after it has appended a chunk.
        shape[dim] = max(shape[dim], last)
    document = {**layout.document, "shape": shape}
    array = zarr.Array.from_dict(StorePath(LocalStore(folder, read_only=True)), document)
    block = np.asarray(array[tuple(ranges)])
    y, x = layout.axes.index("y"), layout.axes.index("x")
    return np.moveaxis(block, (y, x), (-2, -1))


def _check_inflated(layout: ArrayLayout, extents: Sequence[Extent]) -> None:
    """Refuse gzip and zlib data that unpack to more than their chunk: their headers lack a size."""
    if layout.packing.compressor not in _INFLATED:
        return
    for extent in extents:
        with extent.path.open("rb") as file:
            file.seek(extent.start)
            data = file.read(extent.size - layout.packing.checksums)
        if not inflates(data, layout.chunk_bytes):
            raise FrameError(
                complaint(
                    "compressed chunk is damaged",
                    where=extent.path,
                    expected=f"{layout.chunk_bytes} bytes unpacked",
                    got="another length, or its end is missing",
                    do="acquire or copy it again",
                )
            )
