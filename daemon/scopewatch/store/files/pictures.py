"""Which files in the overlay folder are pictures of ours: one rule for all who list or remove them.

Only what bears the name of an overlay or a stain of ours is looked at, and no symbolic link is
followed: nothing else can be removed or sent on, wherever the folder may lie.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from scopewatch.core.errors import StoreError, complaint

_OURS: Final = re.compile(r".+_t\d{4,}_s\d+(_.+)?(\.jpg|_stain\.ome\.tif)")
OVERLAY: Final = ".jpg"
STAIN: Final = "_stain.ome.tif"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A picture as it lies there; `written_s` is a POSIX time."""

    path: Path
    written_s: float
    size_bytes: int

    @property
    def to_look_at(self) -> bool:
        """Whether it is an overlay, not a stain to measure in."""
        return self.path.name.endswith(OVERLAY)


class DrawingOptions(Protocol):
    """How pictures are drawn: with the tile grid, with the stain beside them, how large at most."""

    @property
    def grid(self) -> bool:
        """Whether the tile grid is drawn."""
        ...

    @property
    def stain_tiff(self) -> bool:
        """Whether the stain is written as OME-TIFF, too."""
        ...

    @property
    def max_px(self) -> int:
        """The longer side of a picture at most."""
        ...


class KeepingOptions(Protocol):
    """How long pictures are kept."""

    @property
    def keep_days(self) -> float | None:
        """Older ones are removed; None: all stay."""
        ...

    @property
    def keep_gb(self) -> float | None:
        """Beyond it the oldest are removed; None: no limit."""
        ...


def list_pictures(folder: Path) -> Iterator[StoredPicture]:
    """Yield the pictures of ours below a folder, in no order; none where there is no folder."""
    for root, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(root, name)
            if _OURS.fullmatch(name) is None or path.is_symlink():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            yield StoredPicture(path=path, written_s=state.st_mtime, size_bytes=state.st_size)


def remove_picture(path: Path) -> None:
    """Remove a picture, where it is still there. Raises StoreError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            complaint(
                "picture cannot be removed",
                where=path,
                got=error.strerror or error,
                do="give the daemon's user the rights of the overlay folder",
            )
        ) from error
