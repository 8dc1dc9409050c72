"""Finds the planes that a TIFF has room for: one for each directory, or many after the first.

ImageJ (above 4 GB) and tifffile (`truncate`) write one directory for a whole stack. ome-writers
writes the other directories of an uncompressed stack when it is closed; until then the planes are
appended after the first. In either case plane k is k planes after the pixels of the first one, and
a directory that is written later agrees.
"""

from collections.abc import Callable
from dataclasses import dataclass

from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.chain import Chain
from scopewatch.sources.readers.tiff.ifd import Directory

_MOST_DIRECTORY_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Number of planes that the metadata of a file declares.

    Parameters
    ----------
    planes
        0 where it declares none.
    grows
        Whether they are declared before they are written; else all are written at once.
    unknown
        Whether it declares only those of other files: only the room for planes is known then.
    endless
        Whether more than are declared may follow, as long as its writer has not closed it.
    """

    planes: int = 0
    grows: bool = False
    unknown: bool = False
    endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The planes that a file has room for so far.

    Parameters
    ----------
    count
        Number of planes.
    directory
        Returns the directory of a plane by its number.
    hidden
        Whether all but the first have no directory of their own.
    stopped
        Why more may come, in a few words; None when all are there.
    cut
        Whether the missing part should exist: the file ends too early, or cannot be read this way.
    """

    count: int
    directory: Callable[[int], Directory]
    hidden: bool = False
    stopped: str | None = None
    cut: bool = False


def pages_of(chain: Chain, declared: Declared, size: int) -> Pages:
    """Return the planes that a file of `size` bytes has room for."""
    directories = chain.directories
    if len(directories) == 1 and (declared.planes > 1 or declared.grows or declared.unknown):
        return _behind_the_first(chain, declared, size)
    stopped = chain.stopped
    if stopped is None and declared.grows and 0 < len(directories) < declared.planes:
        stopped = _so_far(len(directories), declared.planes)
    # The directories of uncompressed planes are written when it is closed.
    endless = declared.endless and len(directories) > declared.planes
    if stopped is None and endless and not is_plain(directories[0]):
        stopped = _without_end(len(directories))
    return Pages(
        count=len(directories), directory=directories.__getitem__, stopped=stopped, cut=chain.cut
    )


def _behind_the_first(chain: Chain, declared: Declared, size: int) -> Pages:
    first = chain.directories[0]
    planes = declared.planes
    if not is_plain(first):
        if declared.grows or declared.unknown:
            stopped = chain.stopped
            if stopped is None and planes > 1:
                stopped = _so_far(1, planes)
            return Pages(count=1, directory=lambda _: first, stopped=stopped, cut=chain.cut)
        return Pages(
            count=1,
            directory=lambda _: first,
            stopped=f"it declares {planes} planes in one directory, which cannot be located:"
            " they are compressed or not in one piece",
            cut=True,
        )
    begin, plane = first.first[0], first.bytes_of_pixels
    # Directories or a rewritten description after the last plane are no plane.
    room = min(size, first.fence or size) - begin
    there = max(0, room // plane)
    stopped, cut = None, False
    if declared.unknown:
        planes = there
    if there < planes:
        stopped = _so_far(there, planes)
        cut = not declared.grows or (not first.fence and room % plane != 0)
    elif there > planes and declared.endless:
        # At close the directories are written after the planes, before anything shows that.
        planes = max(planes, there - there * _MOST_DIRECTORY_BYTES // plane)
        stopped = _without_end(planes)
    elif there > planes and declared.grows:
        stopped = f"{there} planes are written and its OME-XML declares {planes}: the others are"
        stopped += " read when its writer has closed it"
        cut = True
    return Pages(
        # The first one is checked even if it is incomplete: its own directory shows why.
        count=max(1, min(there, planes)),
        directory=lambda page: first.moved(page * plane),
        hidden=True,
        stopped=stopped,
        cut=cut,
    )


def is_plain(directory: Directory) -> bool:
    """Return whether the pixels of a plane are uncompressed and in one piece."""
    bits = directory.number(ifd.BITS, 1)
    samples = directory.number(ifd.SAMPLES, 1)
    height, width = directory.number(ifd.HEIGHT, 0), directory.number(ifd.WIDTH, 0)
    return (
        directory.number(ifd.COMPRESSION, 1) == 1
        and directory.number(ifd.FILL_ORDER, 1) == 1
        and ifd.TILE_OFFSETS not in directory.tags
        and directory.in_a_row
        and bits in (8, 16)
        and 0 < height * width * samples * bits // 8 == directory.bytes_of_pixels
    )


def _without_end(there: int) -> str:
    return f"{there} planes are written so far, of a series whose end is not planned"


def _so_far(there: int, planes: int) -> str:
    return f"{there} of {planes} planes are written"
