"""Follows the chain of directories of a TIFF within bounds.

It detects loops and overlapping directories: each page of a trap may point to the same tables.
"""

from dataclasses import dataclass
from typing import BinaryIO

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.tiff.header import Layout, read_layout
from scopewatch.sources.readers.tiff.ifd import (
    CutOffError,
    Directory,
    UnfinishedError,
    read_directory,
)

_MAX_STRIPS_IN_ALL = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The directories found, and why the walk stopped; None at the regular end.

    `cut` is True where it stopped because the file ends too early.
    """

    layout: Layout
    directories: tuple[Directory, ...]
    stopped: str | None
    cut: bool


def walk_directories(file: BinaryIO, size: int, where: object, max_planes: int) -> Chain:
    """Follow the chain of directories as far as it goes.

    Raises
    ------
    FrameError
        When the file is no TIFF, its chain loops, its directories take up more than the whole file
        (so that they overlap), or it has more than `max_planes` pages.
    """
    layout = read_layout(file, where)
    directories: list[Directory] = []
    seen: set[int] = set()
    offset, stopped, cut = layout.first, None, False
    spent, strips = 0, 0
    if offset == 0:
        stopped = "its first directory is not written yet"
    while offset:
        if offset in seen:
            raise FrameError(
                complaint(
                    "TIFF directories form a loop",
                    where=where,
                    got=f"page {len(directories)} leads back",
                    do="export it again",
                )
            )
        if len(directories) >= max_planes:
            raise FrameError(
                complaint(
                    "TIFF has too many pages",
                    where=where,
                    expected=f"at most {max_planes}",
                    do="split the file",
                )
            )
        seen.add(offset)
        try:
            directory = read_directory(file, layout, offset, size)
        except UnfinishedError as why:
            stopped, cut = str(why), isinstance(why, CutOffError)
            break
        directories.append(directory)
        spent, strips = spent + directory.spent, strips + directory.strips
        if spent > size or strips > _MAX_STRIPS_IN_ALL:
            raise FrameError(
                complaint(
                    "TIFF directories overlap" if spent > size else "TIFF has too many strips",
                    where=where,
                    expected=f"at most {size} bytes, {_MAX_STRIPS_IN_ALL} strips",
                    got=f"{spent} bytes, {strips} strips",
                    do="export it again",
                )
            )
        offset = directory.following
    return Chain(layout=layout, directories=tuple(directories), stopped=stopped, cut=cut)
