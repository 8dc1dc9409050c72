"""Looking at what lies in a place, as its source would read it; nothing is scored or written.

All of a few files are opened. Of many, a sample of each folder is opened, and the others are read
by name; of more than ten thousand names a sample is read in full, and all are compared.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from scopewatch.app.explain.explaining import Explaining
from scopewatch.app.explain.explanation import Explanation, Looked
from scopewatch.config import (
    FolderSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    ReadingConfig,
    RunConfig,
)
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.base.found import Found
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import Seen, look_at, walk_images
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.find import find_data_sets
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.omezarr.array.pixels import require_zarr
from scopewatch.sources.omezarr.find import find_stores
from scopewatch.sources.omezarr.listing import list_stores, open_stores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

# Of more files, so many are opened (a millisecond each), and so many names read in full.
OPENED = 400
NAMED = 10_000
_MOST_PAIRS = 10
MOST_FILES = 1_000_000
_MOST_IMAGES = 100_000


def survey_folder(
    config: FolderSourceConfig,
    run: RunConfig,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    most_opened: int = OPENED,
    only: str | None = None,
    names_stores: bool = False,
) -> Explanation:
    """Explain the image files of a folder.

    Parameters
    ----------
    most_opened
        Files that are opened at most.
    only
        The one file that is looked at; None: all.
    names_stores
        Say of OME-Zarr stores that no folder source reads them.

    Raises
    ------
    ConfigError
        When a pattern is wrong.
    OSError
        When the folder cannot be read.
    """
    frames = FolderFrames(config, run, limits)
    stores: set[str] = set()
    if only is None:
        images = walk_images(config.path, recursive=config.recursive, stores=stores)
        walk = islice(images, MOST_FILES)
        seen = sorted(walk, key=lambda each: each.locator)
    else:
        seen = [each for each in (look_at(config.path, only),) if each is not None]
    named = seen if len(seen) <= NAMED else _spread(seen, NAMED)
    doubles = [] if len(seen) <= NAMED else _find_doubles(frames, seen)
    opened = frozenset(each.locator for each in _spread(seen, most_opened))
    opened |= {each.locator for each in doubles}
    explaining = Explaining(run)
    looked_at = dict.fromkeys((*named, *doubles, *(e for e in seen if e.locator in opened)))
    for each in looked_at:
        if each.locator not in opened:
            explaining.add(frames.listing.by_name(each.locator))
            continue
        for found in _open(frames, each):
            explaining.add(found)
    skipped = [_refuse_store(store) for store in sorted(stores)] if names_stores else []
    for found in skipped:
        explaining.add(found)
    return explaining.finish(
        Looked(
            place=str(config.path),
            kind="folder",
            pattern=config.pattern,
            zone=name_zone(config),
            listed=len(seen) + len(skipped),
            opened=len(opened),
            named=len(looked_at),
        )
    )


def survey_ndtiff(
    config: NDTiffSourceConfig,
    run: RunConfig,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Explanation | None:
    """Explain the images of the NDTiff data sets at or below a path; None where there is none.

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """
    frames = NDTiffFrames(config, run, limits, None)
    explaining = Explaining(run)
    sets = listed = 0
    for label, folder in find_data_sets(config.path):
        sets += 1
        data_set = DataSet(folder, limits, patience_s=0)
        while listed < _MOST_IMAGES and (sightings := data_set.look(0.0)):
            for sighting in sightings:
                explaining.add(frames.found(label, sighting))
            listed += len(sightings)
        if data_set.trouble:
            explaining.add(Found(locator=str(folder), fingerprint="", reason=data_set.trouble))
    if not sets:
        return None
    return explaining.finish(
        Looked(
            place=str(config.path),
            kind="ndtiff",
            pattern="",
            zone=name_zone(config),
            listed=listed,
            opened=listed,
            named=listed,
        )
    )


def survey_omezarr(
    config: OmeZarrSourceConfig,
    run: RunConfig,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Explanation | None:
    """Explain the planes of the OME-Zarr stores at or below a path; None where there is none.

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """
    if next(find_stores(config.path), None) is None:
        return None
    explaining = Explaining(run)
    listed = 0
    for found in islice(_list_stores(config, run, limits), _MOST_IMAGES):
        explaining.add(found)
        listed += 1
    return explaining.finish(
        Looked(
            place=str(config.path),
            kind="ome-zarr",
            pattern="",
            zone=name_zone(config),
            listed=listed,
            opened=listed,
            named=listed,
        )
    )


def list_names(folder: Path, most: int = NAMED) -> list[str]:
    """Return the paths of image files below a folder, relative to it: all, or an even sample."""
    walk = islice(walk_images(folder, recursive=True), MOST_FILES)
    seen = sorted(walk, key=lambda each: each.locator)
    return [each.locator for each in _spread(seen, most)]


def name_zone(config: ReadingConfig) -> str:
    """Name the zone in which times without one are read."""
    if config.clock_zone is not None:
        return config.clock_zone
    here = datetime.now().astimezone().tzname() or "local time"
    return f"{here}, this machine's"


def _refuse_store(store: str) -> Found:
    reason = complaint(
        "OME-Zarr store is not read by a source of kind folder",
        where=store or "the folder itself",
        do="add a source of kind ome-zarr for it",
    )
    return Found(locator=store, fingerprint="", reason=reason)


def _list_stores(
    config: OmeZarrSourceConfig, run: RunConfig, limits: ReadLimits
) -> Iterator[Found]:
    try:
        require_zarr(config.path)
    except ConfigError as error:
        yield Found(locator=str(config.path), fingerprint="", reason=str(error))
        return
    yield from list_stores(open_stores(config, run, limits))


def _open(frames: FolderFrames, seen: Seen) -> Sequence[Found]:
    try:
        reading = frames.describe(seen.locator, seen.fingerprint)
    except FrameError as error:
        return (Found(locator=seen.locator, fingerprint=seen.fingerprint, reason=str(error)),)
    return reading.found


def _find_doubles(frames: FolderFrames, seen: Sequence[Seen]) -> list[Seen]:
    """Return files whose names say the same, a few pairs of them, to be opened and compared."""
    first: dict[object, Seen] = {}
    doubles: list[Seen] = []
    for each in seen:
        facts = frames.listing.name_facts(each.locator)
        if facts is None:
            continue
        other = first.setdefault(facts, each)
        if other is not each and len(doubles) < 2 * _MOST_PAIRS:
            doubles += [other, each]
    return doubles


def _spread(seen: Sequence[Seen], most: int) -> Sequence[Seen]:
    """Choose files: all, or of each folder some, evenly spread."""
    if len(seen) <= most:
        return seen
    folders: dict[str, list[Seen]] = {}
    for each in seen:
        folders.setdefault(each.locator.rpartition("/")[0], []).append(each)
    share = max(1, most // len(folders))
    chosen: list[Seen] = []
    for files in islice(folders.values(), most):
        # An odd stride meets all channels where their files take turns.
        stride = max(1, len(files) // share) | 1
        chosen += islice(files[::stride], share)
    return chosen
