"""The chunks of a PNG file, checked against its size before a decoder believes them."""

from pathlib import Path
from typing import Final

from scopewatch.core.errors import FrameError, complaint

_SIGNATURE_BYTES: Final = 8
_HEAD_BYTES: Final = 8
_CHECKSUM_BYTES: Final = 4
_MOST_CHUNKS: Final = 100_000


def check_chunks(path: Path) -> None:
    """Refuse a PNG of which a chunk says that it is longer than the rest of the file.

    Pillow reads a chunk by the length it states, and Python then asks for that much memory at
    once: up to 4 GB for a file of some hundred bytes. A frame that is still being written is cut
    off in the same way, and is refused until it is whole.

    Raises
    ------
    FrameError
        When a chunk reaches beyond the file, or there are more chunks than any writer makes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        place = _SIGNATURE_BYTES
        for _ in range(_MOST_CHUNKS):
            file.seek(place)
            head = file.read(_HEAD_BYTES)
            if len(head) < _HEAD_BYTES:
                return
            length = int.from_bytes(head[:4], "big")
            if length > size - place - _HEAD_BYTES:
                raise _damaged(path, f"a chunk of {length} bytes at {place} of {size} bytes")
            if head[4:] == b"IEND":
                return
            place += _HEAD_BYTES + length + _CHECKSUM_BYTES
    raise _damaged(path, f"more than {_MOST_CHUNKS} chunks")


def _damaged(path: Path, got: str) -> FrameError:
    return FrameError(
        complaint(
            "image cannot be decoded",
            where=path,
            expected="chunks that lie within the file",
            got=got,
            do="write the file again",
        )
    )
