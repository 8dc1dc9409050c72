"""State of a frame on disk, seen from outside: by sizes, names and tifffile alone.

Files are read in the middle of a write, where they may be cut anywhere: whatever cannot be read
then is not there yet.
"""

import json
import struct
from contextlib import suppress
from pathlib import Path

import google_crc32c
import tifffile
from ndstorage.ndtiff_index import NDTiffIndexEntry


def whole_pages(path: Path) -> int:
    """Return how many image directories of a TIFF file exist with all of their pixels."""
    whole = 0
    with suppress(Exception):
        size = path.stat().st_size
        with tifffile.TiffFile(path) as file:
            for page in file.pages:
                if not isinstance(page, tifffile.TiffPage) or min(page.databytecounts) == 0:
                    break
                ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))
                if max(ends) > size:
                    break
                whole += 1
    return whole


def contiguous_planes(path: Path, plane_bytes: int) -> int:
    """Return how many planes follow the first directory of an uncompressed TIFF file."""
    with suppress(Exception):
        size = path.stat().st_size
        with tifffile.TiffFile(path) as file:
            first = file.pages[0]
            if isinstance(first, tifffile.TiffPage):
                return max(0, (size - first.dataoffsets[0]) // plane_bytes)
    return 0


def parses(path: Path) -> bool:
    """Return whether a file of JSON exists and is complete."""
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def indexed_axes(path: Path) -> set[frozenset[tuple[str, int | str]]]:
    """Return the axes of every complete entry of an NDTiff.index."""
    found: set[frozenset[tuple[str, int | str]]] = set()
    with suppress(Exception):
        data, at = path.read_bytes(), 0
        while at < len(data):
            at, axes, _ = NDTiffIndexEntry.unpack_single_index_entry(data, at)
            found.add(frozenset(axes.items()))
    return found


def holds_chunk(shard: Path, chunk: int, chunks: int) -> bool:
    """Return whether a Zarr shard has a complete index at its end, and the index lists a chunk.

    Parameters
    ----------
    chunk
        Number of the chunk within the shard, of `chunks` in all.
    """
    with suppress(OSError, struct.error):
        data = shard.read_bytes()
        index, checksum = data[-16 * chunks - 4 : -4], data[-4:]
        if struct.unpack("<I", checksum) == (google_crc32c.value(index),):
            start, size = struct.unpack_from("<QQ", index, 16 * chunk)
            return int(start) + int(size) <= len(data)
    return False
