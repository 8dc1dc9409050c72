"""Overlays as the pages show them: whole, or small for the film strip.

A path from the web is never joined to the folder unless the database knows it, and even then it
must stay within the folder.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Protocol

from PIL import Image

MEDIA_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}

SMALL_PX = 320


class PictureCopies(Protocol):
    """Copies of the pictures of one daemon; each method answers within seconds."""

    def read(self, relative: str) -> bytes | None:
        """Return a picture, None where it is not there. Raises StoreError with one line."""
        ...

    def trouble(self, relative: str) -> str:
        """Return why a picture cannot be had, in one line; '' where it can."""
        ...


def may_be_read(relative: str) -> bool:
    """Return whether a path is one of a picture, and leads nowhere else than below the copies.

    >>> may_be_read("run 7/A1/p1_t0000_s0.jpg"), may_be_read("../../secret.jpg")
    (True, False)
    """
    path = PurePosixPath(relative)
    plain = not path.is_absolute() and str(path) == relative and ".." not in path.parts
    odd = any(each in relative for each in "\\\0?#")
    return plain and not odd and path.suffix.lower() in MEDIA_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayImage:
    """A file that may be served.

    Parameters
    ----------
    etag
        Changes when the file is rewritten; until then browsers keep their copy.
    """

    path: Path
    media_type: str
    etag: str


def find_overlay(folder: Path, relative: str) -> OverlayImage | None:
    """Return the picture of a relative path, None where it is gone or lies outside the folder."""
    if "\0" in relative:
        return None
    root = folder.resolve()
    path = (root / relative).resolve()
    media_type = MEDIA_TYPES.get(path.suffix.lower())
    if media_type is None or not path.is_relative_to(root) or not path.is_file():
        return None
    stat = path.stat()
    return OverlayImage(
        path=path, media_type=media_type, etag=f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    )


def is_kept(folder: Path, relative: str) -> bool:
    """Whether a picture exists; `find_overlay` decides whether it may be served."""
    return "\0" not in relative and os.path.isfile(os.path.join(folder, relative))  # noqa: PTH113, PTH118


def shrink(picture: OverlayImage) -> bytes:
    """Return a JPEG of a picture that fits SMALL_PX x SMALL_PX. Raises OSError."""
    return _shrink(picture.path, picture.etag)


@lru_cache(maxsize=512)
def _shrink(path: Path, etag: str) -> bytes:  # noqa: ARG001 (the etag makes a new file a new entry)
    return shrink_file(path)


def shrink_file(file: Path | BytesIO) -> bytes:
    """Return a JPEG of a picture that fits SMALL_PX x SMALL_PX. Raises OSError."""
    with Image.open(file) as image:
        # JPEG files are decoded at a fraction of their size, which is where the time goes.
        image.draft("RGB", (SMALL_PX, SMALL_PX))
        small = image.convert("RGB")
    small.thumbnail((SMALL_PX, SMALL_PX))
    out = BytesIO()
    small.save(out, format="JPEG", quality=80)
    return out.getvalue()
