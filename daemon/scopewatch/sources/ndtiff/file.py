"""Follows one TIFF of an NDTiff data set while it is written.

The file is preallocated (4 GB, sparse) and truncated at close, so its size means nothing. Its
writers write an image in this order: directory, pixels, metadata. Hence an image is complete when
its metadata, after its pixels, is complete JSON; if a writer put the metadata elsewhere, the next
directory or the end of the chain must be there first.
"""

import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.ndtiff.header import Head
from scopewatch.sources.ndtiff.index import Block
from scopewatch.sources.readers.micromanager_metadata import load_tags
from scopewatch.sources.readers.planes import ReadLimits, check_size
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.ifd import Directory, UnfinishedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A complete image: its place, its tags, and a fingerprint of them.

    The tags hold the time of acquisition, so an image acquired again has another fingerprint.
    `reason` is why it is no frame; None for a frame.
    """

    block: Block
    tags: dict[str, Any]
    fingerprint: str
    reason: str = ""


class Follower:
    """Follows the chain of directories of one file as it grows.

    Parameters
    ----------
    name
        Name of the file within the data set.
    """

    def __init__(self, name: str, head: Head) -> None:
        self._name = name
        self._layout = head.layout
        self._next = head.layout.first
        self.pages = 0
        self.trouble: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the chain came to its regular end, or cannot be followed further."""
        return self._next == 0 or self.trouble is not None

    def closed(self, size: int) -> bool:
        """Return whether a file of this size was closed: it is truncated where the chain ends.

        A growing file is preallocated, and its chain points into the empty part.
        """
        ends = self._next == 0 or self._next >= size
        return self.pages > 0 and self.trouble is None and ends

    def look(self, file: BinaryIO, size: int, limits: ReadLimits, at_most: int) -> list[Image]:
        """Return images completed since the last look, at most `at_most`."""
        images: list[Image] = []
        while not self.ended and len(images) < at_most:
            try:
                directory = ifd.read_directory(file, self._layout, self._next, size)
            except UnfinishedError:
                break
            if 0 < directory.following <= directory.start:
                self.trouble = f"directory {self.pages} of {self._name} leads back"
                break
            if self.pages >= limits.max_planes:
                self.trouble = f"{self._name} has more than {limits.max_planes} images"
                break
            image = self._complete(file, directory, size, limits)
            if image is None and self.trouble is None:
                break
            if image is not None:
                images.append(image)
            self.pages += 1
            self._next = directory.following
        return images

    def _complete(
        self, file: BinaryIO, directory: Directory, size: int, limits: ReadLimits
    ) -> Image | None:
        block = _block(self._name, directory)
        if block is None:
            self.trouble = f"directory {self.pages} of {self._name} is no NDTiff image"
            return None
        behind = block.text_start >= directory.end_of_pixels
        if not behind and directory.following and not _begun(file, directory.following, size):
            return None
        image = read_image_facts(file, block, size, limits)
        grey = directory.number(ifd.SAMPLES, 1) == 1
        return image if image is None or grey else replace(image, reason="it is in colour")


def read_image_facts(file: BinaryIO, block: Block, size: int, limits: ReadLimits) -> Image | None:
    """Read the metadata of an image; None while they are incomplete."""
    if block.end > size or block.text_size > limits.max_text_bytes:
        return None
    file.seek(block.text_start)
    raw = file.read(block.text_size)
    tags = load_tags(raw.rstrip(b"\x00"))
    if tags is None:
        return None
    return Image(block=block, tags=tags, fingerprint=f"{block.start}:{zlib.crc32(raw):08x}")


def read_pixels(path: Path, block: Block, limits: ReadLimits) -> Pixels:
    """Read the (H, W) pixels of an image, uint8 or uint16.

    Raises
    ------
    FrameError
        When the size is beyond the limits, or the file ends too early.
    OSError
        When the file cannot be read.
    """
    check_size(block.height, block.width, path, limits)
    dtype = np.dtype("<u2" if block.pixel_bytes == 2 else "u1")
    with path.open("rb") as file:
        file.seek(block.start)
        raw = file.read(block.size)
    if len(raw) != block.size:
        raise FrameError(
            complaint(
                "image of the data set is cut off",
                where=path,
                expected=f"{block.size} bytes at {block.start}",
                got=len(raw),
                do="copy the data set again",
            )
        )
    pixels = np.frombuffer(raw, dtype=dtype).reshape(block.height, block.width)
    return pixels.astype(dtype.newbyteorder("="), copy=False)


def _block(name: str, directory: Directory) -> Block | None:
    """Return the place of a directory's image; None where it is not one strip with tags."""
    width, height = directory.number(ifd.WIDTH, 0), directory.number(ifd.HEIGHT, 0)
    tag = directory.tags.get(ifd.MM_METADATA)
    if tag is None or directory.strips != 1 or not width * height:
        return None
    start, length = directory.first
    # The Python storage declares 16 bits for 8-bit images too; the length of the strip is right.
    # https://github.com/micro-manager/NDTiffStorage, ndtiff_file.py, byte_depth
    samples = max(1, directory.number(ifd.SAMPLES, 1))
    pixel_bytes = length // (width * height * samples)
    if pixel_bytes not in (1, 2):
        return None
    return Block(
        file=name,
        start=start,
        width=width,
        height=height,
        pixel_bytes=pixel_bytes,
        text_start=tag.start,
        text_size=tag.size,
    )


def _begun(file: BinaryIO, offset: int, size: int) -> bool:
    if offset + 2 > size:
        return False
    file.seek(offset)
    return file.read(2) not in (b"", b"\x00\x00")
