"""Pictures that have been kept long enough are removed; results never are.

`pictures.py` decides what counts as a picture.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
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
_HOUR_S: Final = 3600.0
_BATCH: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one round of retention removed.

    `newest_at` is when the newest of the removed pictures was written; None where none was.
    """

    files: int
    size_bytes: int
    newest_at: datetime | None = None


def retain(
    folder: Path,
    options: KeepingOptions,
    now: datetime,
    before: Callable[[Sequence[Path]], None] = lambda _: None,
) -> Removed:
    """Remove pictures older than `keep_days`, then the oldest beyond `keep_gb` in total.

    However many pictures there are, those of one hour are held at a time.

    Parameters
    ----------
    before
        Called with the pictures that are removed next, some hundreds at a time.

    Raises
    ------
    StoreError
        Where a picture cannot be removed; those before it are.
    """
    files = size_bytes = 0
    newest_s: float | None = None
    for batch in _batches(_beyond(folder, options, now)):
        before([each.path for each in batch])
        for each in batch:
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


def _batches(pictures: Iterator[StoredPicture]) -> Iterator[list[StoredPicture]]:
    while batch := list(islice(pictures, _BATCH)):
        yield batch


def _beyond(folder: Path, options: KeepingOptions, now: datetime) -> Iterator[StoredPicture]:
    """Yield the pictures that are no longer to be kept."""
    too_old = float("-inf")
    if options.keep_days is not None:
        too_old = (now - timedelta(days=options.keep_days)).timestamp()
    hour, excess = _oldest_kept(folder, options.keep_gb)
    edge: list[StoredPicture] = []
    if excess > 0:
        # In the hour in which pictures begin to be kept, their order matters.
        edge = [each for each in list_pictures(folder) if _hour(each) == hour]
        edge.sort(key=lambda each: each.written_s)
    others = (each for each in list_pictures(folder) if not edge or _hour(each) != hour)
    for each in chain(others, edge):
        beyond = _hour(each) < hour or (_hour(each) == hour and excess > 0)
        if each.written_s >= too_old and not beyond:
            continue
        if _hour(each) == hour:
            excess -= each.size_bytes
        yield each


def _oldest_kept(folder: Path, keep_gb: float | None) -> tuple[float, float]:
    """Return the hour in which pictures begin to be kept, and what is beyond the limit in it."""
    if keep_gb is None:
        return float("-inf"), 0.0
    sizes: dict[float, int] = {}
    for each in list_pictures(folder):
        sizes[_hour(each)] = sizes.get(_hour(each), 0) + each.size_bytes
    excess = sum(sizes.values()) - keep_gb * _GB
    for hour in sorted(sizes):
        if sizes[hour] > excess:
            return hour, max(excess, 0.0)
        excess -= sizes[hour]
    return float("inf") if sizes else float("-inf"), 0.0


def _hour(picture: StoredPicture) -> float:
    return picture.written_s // _HOUR_S
