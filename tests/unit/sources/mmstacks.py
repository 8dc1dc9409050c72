"""Image stacks as Micro-Manager writes them."""

import json
import struct
from pathlib import Path
from typing import Any


class StackWriter:
    """Writes image stacks as Micro-Manager does: preallocated, then image by image.

    Parameters
    ----------
    gap
        Bytes left free after each image, so that few images reach far into a large file.
    big
        BigTIFF, with offsets beyond 4 GB.
    """

    def __init__(
        self, path: Path, summary: dict[str, Any], size: int, *, gap: int = 0, big: bool = False
    ) -> None:
        self.path = path
        self.gap, self.big = gap + gap % 2, big
        text = json.dumps(summary).encode()
        first = 40 + len(text) + len(text) % 2
        with path.open("wb") as file:
            file.truncate(size)
            if big:
                file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, first))
            else:
                file.write(struct.pack("<2sHI", b"II", 42, first))
            file.seek(32)
            file.write(struct.pack("<II", 2355492, len(text)) + text)
        self.at = first

    def directory(self, image: Any, tags: dict[str, Any], *, last: bool = False) -> list[bytes]:
        """Return an image in the pieces in which it is written: directory, pixels, tags."""
        height, width = image.shape
        text = json.dumps(tags).encode()
        entries = 10
        count, link, entry = ("Q", "Q", 20) if self.big else ("H", "I", 12)
        data = self.at + struct.calcsize(f"<{count}{link}") + entries * entry
        end = data + image.nbytes + len(text)
        end += end % 2 + self.gap
        fields = [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, 8 * image.itemsize),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
            (273, 16 if self.big else 4, 1, data),
            (277, 3, 1, 1),
            (278, 4, 1, height),
            (279, 4, 1, image.nbytes),
            (51123, 2, len(text), data + image.nbytes),
        ]
        head = struct.pack(f"<{count}", entries)
        head += b"".join(struct.pack(f"<HH{link}{link}", *each) for each in fields)
        head += struct.pack(f"<{link}", 0 if last else end)
        return [head, image.tobytes(), text]

    def put(self, piece: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.at)
            file.write(piece)
        self.at += len(piece)

    def add(self, image: Any, tags: dict[str, Any], *, last: bool = False) -> None:
        for piece in self.directory(image, tags, last=last):
            self.put(piece)
        self.at += self.at % 2 + (0 if last else self.gap)

    def close(self) -> None:
        """Truncate the file to what was written."""
        with self.path.open("r+b") as file:
            file.truncate(self.at)


def tags(time: int) -> dict[str, Any]:
    return {
        "FrameIndex": time,
        "Channel": "phase",
        "PositionName": "B3-Site_1",
        "PixelSizeUm": 0.65,
        "Time": f"2026-03-01 09:00:{time:02d} +0000",
    }
