"""Pictures that have been kept long enough are removed; results never are.

`pictures.py` decides what counts as a picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.event_log import get_logger
from scopewatch.store.files.pictures import (
    KeepingOptions,
    StoredPicture,
    list_pictures,
    remove_picture,
)

log = get_logger(__name__)

_GB: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one round of retention removed.

    `newest_at` is when the newest of the removed pictures was written; None where none was.
    """

    files: int
    size_bytes: int
    newest_at: datetime | None = None


def retain(folder: Path, options: KeepingOptions, now: datetime) -> Removed:
    """Remove pictures older than `keep_days`, then the oldest beyond `keep_gb` in total.

    Raises
    ------
    StoreError
        Where a picture cannot be removed; those before it are.
    """
    excess = 0.0
    if options.keep_gb is not None:
        excess = sum(each.size_bytes for each in list_pictures(folder)) - options.keep_gb * _GB
    too_old = float("-inf")
    if options.keep_days is not None:
        too_old = (now - timedelta(days=options.keep_days)).timestamp()
    pictures: Iterable[StoredPicture] = list_pictures(folder)
    if excess > 0:
        # Only here does their order matter: all pictures of a run at once are tens of megabytes.
        pictures = sorted(pictures, key=lambda each: each.written_s)
    files = size_bytes = 0
    newest_s: float | None = None
    for each in pictures:
        if each.written_s >= too_old and size_bytes >= excess:
            continue
        remove_picture(each.path)
        files += 1
        size_bytes += each.size_bytes
        newest_s = max(each.written_s, newest_s or each.written_s)
    if files:
        log.info("pictures removed by retention", files=files, mb=round(size_bytes / 1e6, 1))
    return Removed(
        files=files,
        size_bytes=size_bytes,
        newest_at=None if newest_s is None else datetime.fromtimestamp(newest_s, UTC),
    )
