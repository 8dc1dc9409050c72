"""Pictures that have been kept long enough are removed; results never are.

Only what bears the name of an overlay or a stain of ours, within the overlay folder, is looked at,
and no symbolic link is followed: nothing else can be removed, wherever the folder may lie.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.config import OverlayConfig
from scopewatch.core.errors import StoreError, complaint

log = logging.getLogger(__name__)

_OURS: Final = re.compile(r".+_t\d{4,}_s\d+(_.+)?(\.jpg|_stain\.ome\.tif)")
_GB: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one round of retention removed."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    path: Path
    written_s: float
    size_bytes: int


def retain(folder: Path, options: OverlayConfig, now: datetime) -> Removed:
    """Remove pictures older than `keep_days`, then the oldest beyond `keep_gb` in total.

    Raises
    ------
    StoreError
        Where a picture cannot be removed; those before it are.
    """
    pictures = sorted(_pictures(folder), key=lambda each: each.written_s)
    excess = 0.0
    if options.keep_gb is not None:
        excess = sum(each.size_bytes for each in pictures) - options.keep_gb * _GB
    too_old = float("-inf")
    if options.keep_days is not None:
        too_old = (now - timedelta(days=options.keep_days)).timestamp()
    files = size_bytes = 0
    for each in pictures:
        if each.written_s >= too_old and size_bytes >= excess:
            break
        _remove(each.path)
        files += 1
        size_bytes += each.size_bytes
    if files:
        log.info(
            "pictures removed by retention",
            extra={"event": {"files": files, "mb": round(size_bytes / 1e6, 1)}},
        )
    return Removed(files=files, size_bytes=size_bytes)


def _pictures(folder: Path) -> Iterator[_Kept]:
    for root, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(root, name)
            if _OURS.fullmatch(name) is None or path.is_symlink():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            yield _Kept(path=path, written_s=state.st_mtime, size_bytes=state.st_size)


def _remove(path: Path) -> None:
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
