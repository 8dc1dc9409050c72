"""Pictures on disk: a file, a page of a TIFF, or an image in an NDTiff or OME-Zarr data set.

The daemon's own readers read them, so that the daemon could score every training picture.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from scopewatch.config import NDTiffSourceConfig, OmeZarrSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import Frame, FrameKey, Pixels
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.omezarr.listing import open_stores
from scopewatch.sources.readers.decode import DECODE_FAULTS, undecodable
from scopewatch.sources.readers.holes import not_written
from scopewatch.sources.readers.image_file import TIFF_SUFFIXES, list_planes, read_plane
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, PlaneEntry, check_size

_PART: Final = re.compile(
    r"(?s)(?P<path>.+)#(?P<part>page=\d{1,9}|channel=[^#]+|at=\[[\d,]*\]@[\w:.=-]*)"
)
_PLACE: Final = "at="
_CHANNEL: Final = "channel="
_NOBODY: Final = FrameKey(
    run="pair", plate="pair", well="pair", site=0, time_point=0, channel="pair"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRef:
    """Location of a picture.

    Parameters
    ----------
    path
        The file; of an OME-Zarr store the folder of the array.
    part
        Which of its pictures: empty for the only one, `page=3` (from 0) or `channel=GFP` (where the
        file names its channels) of a TIFF, `at=[...]@...` of the
        file of an NDTiff data set, or an array: the place, and the fingerprint it was found with.
    """

    path: Path
    part: str = ""

    @classmethod
    def parse(cls, folder: Path, text: str) -> "PictureRef":
        """Read a path that counts from `folder`, with its part behind a `#`."""
        match = _PART.fullmatch(text)
        if match is None or (folder / text).is_file():
            return cls(path=folder / text)
        return cls(path=folder / match["path"], part=match["part"])

    @property
    def is_there(self) -> bool:
        """Whether its file is; of an OME-Zarr store the folder of the array."""
        return self.path.is_file() or (self.part.startswith(_PLACE) and self.path.is_dir())

    def __str__(self) -> str:
        return f"{self.path}#{self.part}" if self.part else str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GreyPicture:
    """A grey picture.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    um_per_px
        From its file; None where the file does not state it.
    pages
        Pages of its file; 1 where they were not counted.
    """

    pixels: Pixels
    um_per_px: float | None
    pages: int = 1


def name_file(text: str) -> str:
    """Return a picture's text for people: without the place in its data set, which is a code."""
    match = _PART.fullmatch(text)
    return match["path"] if match and match["part"].startswith(_PLACE) else text


def read_picture(ref: PictureRef) -> GreyPicture:
    """Read a picture.

    Raises
    ------
    FrameError
        When it is missing, damaged, or no grey picture of 8 or 16 bits.
    """
    if ref.part.startswith(_PLACE):
        return _read_omezarr(ref) if ref.path.is_dir() else _read_ndtiff(ref)
    page, pages = _find_page(ref)
    plane = read_plane(ref.path, page)
    return GreyPicture(pixels=plane.pixels, um_per_px=plane.facts.pixel_size_um, pages=pages)


def read_any_numbers(ref: PictureRef) -> NDArray[Any]:
    """Read a picture of any pixel type, as labels have: (H, W) of bool, integers or floats.

    Raises
    ------
    FrameError
        When it is damaged, not written yet, too large, or no single plane of a TIFF or PNG.
    """
    page, _ = _find_page(ref)
    try:
        if ref.path.suffix.lower() in TIFF_SUFFIXES:
            with tifffile.TiffFile(ref.path) as file:
                plane = file.pages[page]
                height, width = plane.shape[:2]
                check_size(height, width, ref.path, DEFAULT_LIMITS)
                pixels = plane.asarray()
                empty = plane.compression == 1 and not pixels.any()
        else:
            with Image.open(ref.path, formats=["PNG"]) as image:
                check_size(image.height, image.width, ref.path, DEFAULT_LIMITS)
                pixels = np.asarray(image)
                empty = False
    except DECODE_FAULTS as error:
        raise undecodable(ref, error) from error
    if pixels.ndim != 2 or pixels.dtype.kind not in "biuf":
        raise undecodable(ref, f"shape {pixels.shape}, {pixels.dtype}")
    if empty:
        # An uncompressed file is like this, too, before its writer has put any pixel into it.
        raise not_written(ref, "zeros only; compress a picture that is truly empty")
    return pixels


def _find_page(ref: PictureRef) -> tuple[int, int]:
    """Return the page of a file, from 0, and the number of its pages.

    Raises
    ------
    FrameError
        When the file has no such page or channel, or has several pages and none is named.
    """
    planes = list_planes(ref.path).planes
    if not ref.part:
        return _only_page(ref, planes), len(planes)
    if ref.part.startswith(_CHANNEL):
        name = ref.part.removeprefix(_CHANNEL).strip().casefold()
        pages = [each.page for each in planes if (each.facts.channel or "").casefold() == name]
        if len(pages) == 1:
            return pages[0], len(planes)
        named = dict.fromkeys(each.facts.channel or "a channel without a name" for each in planes)
        raise FrameError(
            complaint(
                "file does not have one page of that channel",
                where=ref,
                expected=", ".join(named),
                do=f"name the page, #page=0 to #page={len(planes) - 1}",
            )
        )
    page = int(ref.part.removeprefix("page="))
    if planes and page > max(each.page for each in planes):
        raise FrameError(
            complaint(
                "file has no such page",
                where=ref,
                expected=f"#page=0 to #page={max(each.page for each in planes)}, counted from 0",
                do="correct the number",
            )
        )
    return page, len(planes)


def _only_page(ref: PictureRef, planes: Sequence[PlaneEntry]) -> int:
    """Return the page of a file's one picture; thumbnails and pyramids of it do not count.

    Raises
    ------
    FrameError
        When it has several: the first of a time-lapse or stack is seldom the one that is meant.
    """
    sizes = (each.size_px for each in planes)
    largest = max(sizes, key=lambda size: math.prod(size or (0,)), default=None)
    alike = [each for each in planes if each.size_px == largest]
    if len(alike) < 2:
        return alike[0].page if alike else 0
    named = list(dict.fromkeys(each.facts.channel for each in alike if each.facts.channel))
    raise FrameError(
        complaint(
            "file holds several pictures, and the table names none of them",
            where=ref,
            expected=f"#page=0 to #page={max(each.page for each in alike)} behind its path"
            + (f", or #channel={named[0]}" if named else ""),
            got=f"{len(alike)} pictures" + (f" of {', '.join(named)}" if named else ""),
            do="name the page of the moment and plane of the other channel, counted from 0",
        )
    )


def _read_ndtiff(ref: PictureRef) -> GreyPicture:
    config = NDTiffSourceConfig(kind="ndtiff", path=ref.path.parent)
    frames = NDTiffFrames(config, RunConfig(name="pairs"), DEFAULT_LIMITS, None)
    return _load(frames.load, ref.path.name, ref.part)


def _read_omezarr(ref: PictureRef) -> GreyPicture:
    array = ref.path.resolve()
    root = Path(array.anchor)
    config = OmeZarrSourceConfig(kind="ome-zarr", path=root)
    try:
        stores = open_stores(config, RunConfig(name="pairs"))
    except ConfigError as error:
        raise FrameError(str(error)) from error
    return _load(stores.load, array.relative_to(root).as_posix(), ref.part)


def _load(load: Callable[[FrameTicket], Frame], path: str, part: str) -> GreyPicture:
    place, _, fingerprint = part.partition("@")
    ticket = FrameTicket(
        key=_NOBODY,
        source="pairs",
        locator=f"{path}#{place}",
        fingerprint=fingerprint,
        seen_at=datetime.fromtimestamp(0, UTC),
    )
    frame = load(ticket)
    return GreyPicture(pixels=frame.pixels, um_per_px=frame.pixel_size_um)


def look_at_file(ref: PictureRef) -> list[str | int]:
    """Return path, size and modification time of a picture's file; FrameError when it is gone."""
    try:
        state = ref.path.stat()
    except OSError as error:
        raise FrameError(f"picture cannot be read: {ref} ({error.strerror}); check it") from error
    return [str(ref), state.st_size, state.st_mtime_ns]
