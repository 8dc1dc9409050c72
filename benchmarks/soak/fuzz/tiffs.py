"""TIFFs made byte by byte that declare more than they hold, for the fuzzing of readers."""

import struct

import numpy as np

_ENDS = [(258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 60)]


def pixels() -> np.ndarray:
    """Return a small uint16 image, shape (24, 32)."""
    return np.random.default_rng(0).integers(0, 4096, (24, 32), dtype=np.uint16)


def huge() -> bytes:
    """Return a TIFF of a few bytes that declares four gigapixels."""
    return _tiff([(256, 4, 1, 65_535), (257, 4, 1, 65_535), *_ENDS])


def wide() -> bytes:
    """Return a small TIFF of 65535 samples a pixel."""
    return _tiff([(256, 4, 1, 8192), (257, 4, 1, 8192), *_ENDS, (277, 3, 1, 65_535)])


def bomb() -> bytes:
    """Return a TIFF whose compressed pixels are far shorter than it declares."""
    return _tiff([(256, 4, 1, 8192), (257, 4, 1, 8192), _ENDS[0], (259, 3, 1, 8), *_ENDS[2:]])


def looping() -> bytes:
    """Return a TIFF whose only directory points to itself."""
    return _tiff([(256, 4, 1, 24), (257, 4, 1, 4), *_ENDS], following=8)


def overlapping() -> list[bytes]:
    """Return a TIFF of many pages that all point to the same long table of strips."""
    strips, pages = 20_000, 300
    table = 8 + pages * 78
    entries = [(256, 4, 1, 24), (257, 4, 1, 4), (258, 3, 1, 16), (262, 3, 1, 1)]
    entries += [(273, 4, strips, table), (279, 4, strips, table)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    whole = struct.pack("<2sHI", b"II", 42, 8)
    for page in range(pages):
        whole += struct.pack("<H", len(entries)) + body + struct.pack("<I", 8 + (page + 1) * 78)
    return [whole + struct.pack("<I", 8) * strips]


def _tiff(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + body + struct.pack("<I", following) + bytes(64)
