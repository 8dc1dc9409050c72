"""Pairs from a folder of acquired files: phase and fluorescence frames that share their names.

The daemon's own patterns and readers identify each file: file name presets, Micro-Manager
metadata, OME-TIFF, NDTiff, OME-Zarr. Every folder right under the root is a run, and so is every
NDTiff data set and every OME-Zarr store. Phase frames without fluorescence (the days before the
last) are left out.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scopewatch.config import (
    FolderSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    RunConfig,
)
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.found import Found
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import NDTIFF_INDEX, walk_images
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.ndtiff.pyramid import is_copy
from scopewatch.sources.omezarr.find import find_stores
from scopewatch.sources.omezarr.frames import store_stem
from scopewatch.sources.omezarr.listing import list_stores, open_stores
from scopewatch.sources.omezarr.nodes import is_store
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.tables.manifest_columns import COLUMNS, OPTIONAL

_MOST_NAMED: Final = 5
_MOST_LOOKS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPairs:
    """Pairs and other files of a folder.

    Parameters
    ----------
    rows
        The pairs, ordered by run, plate, well, site and time point.
    phase_only
        Number of phase frames without a fluorescence frame.
    fluorescence_only
        Names of fluorescence frames without a phase frame.
    unread
        One line for each file that could not be read or named.
    """

    rows: tuple[PairRow, ...]
    phase_only: int
    fluorescence_only: tuple[str, ...]
    unread: tuple[str, ...]


def pair_folder(
    root: Path,
    *,
    fluorescence: str,
    phase: str = "phase",
    pattern: str = "scopewatch",
    interval_h: float = 12,
) -> FolderPairs:
    """Pair the frames under a folder.

    Parameters
    ----------
    fluorescence, phase
        Channel names, compared without regard to case.
    pattern
        Preset or regular expression of the file names, as in the daemon's configuration.
    interval_h
        Hours between time points, for names that hold times.

    Raises
    ------
    ConfigError
        When the folder or the pattern is wrong, two files are the same frame, or there is no
        pair.
    """
    if not root.is_dir():
        raise ConfigError(complaint("folder of pictures is missing", where=root, do="correct it"))
    frames: dict[FrameKey, PictureRef] = {}
    unread: list[str] = []
    doubles: list[str] = []
    for found, ref in _find(root, phase, pattern, interval_h):
        if found.key is None:
            unread.append(found.reason)
        elif found.key in frames:
            doubles.append(f"{frames[found.key]} and {ref}")
        else:
            frames[found.key] = ref
    if doubles:
        raise ConfigError(
            complaint(
                "two files are the same frame",
                where=doubles[0],
                got=f"{len(doubles)} such",
                do="correct the file name pattern",
            )
        )
    pairs = _pair(frames, phase=phase, fluorescence=fluorescence, unread=unread)
    if not pairs.rows:
        channels = Counter(key.channel for key in frames)
        seen = ", ".join(f"{name} x {count}" for name, count in channels.most_common(_MOST_NAMED))
        raise ConfigError(
            complaint(
                "folder holds no pair",
                where=root,
                expected=f"channels {phase} and {fluorescence} of the same field and time point",
                got=seen or (unread[0] if unread else "no image"),
                do="name the channels and the file name pattern",
            )
        )
    return pairs


def write_manifest(rows: Sequence[PairRow], path: Path) -> None:
    """Write pairs as a manifest with absolute paths, for a person to check and correct."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *OPTIONAL])
        for row in rows:
            place = (row.run, row.plate, row.well, row.site, row.time_point)
            rest = ("" if each is None else each for each in (row.um_per_px, row.day))
            pictures = (replace(each, path=each.path.absolute()) for each in row.pictures)
            writer.writerow([*place, *pictures, *rest])


def _pair(
    frames: dict[FrameKey, PictureRef], *, phase: str, fluorescence: str, unread: list[str]
) -> FolderPairs:
    sides: dict[str, dict[tuple[str, str, str, int, int], PictureRef]] = {
        phase.casefold(): {},
        fluorescence.casefold(): {},
    }
    for key, ref in frames.items():
        side = sides.get(key.channel.casefold())
        if side is not None:
            side[key.run, key.plate, key.well, key.site, key.time_point] = ref
    phases, glows = sides[phase.casefold()], sides[fluorescence.casefold()]
    rows = tuple(
        PairRow(
            run=run,
            plate=plate,
            well=well,
            site=site,
            time_point=time_point,
            phase=phases[run, plate, well, site, time_point],
            fluorescence=glows[run, plate, well, site, time_point],
        )
        for run, plate, well, site, time_point in sorted(phases.keys() & glows.keys())
    )
    return FolderPairs(
        rows=rows,
        phase_only=len(phases.keys() - glows.keys()),
        fluorescence_only=tuple(str(glows[key]) for key in sorted(glows.keys() - phases.keys())),
        unread=tuple(unread),
    )


def run_folders(root: Path) -> list[tuple[Path, bool]]:
    """Return the folders that are runs, and whether files of their subfolders belong to them."""
    below = [each for each in sorted(root.iterdir()) if each.is_dir()]
    return [(root, False), *((each, True) for each in below if not each.name.startswith("."))]


def find_frames(
    folder: Path, run: RunConfig, pattern: str, *, recursive: bool, decode: bool = True
) -> Iterator[tuple[Found, PictureRef]]:
    """Yield all frames of one run, in a fixed order.

    Parameters
    ----------
    recursive
        Whether files of subfolders belong to the run.
    decode
        Whether pixels are decoded, which shows that a file is whole.
    """
    if (folder / NDTIFF_INDEX).is_file():
        yield from _find_ndtiff(folder, run)
    elif is_store(folder):
        yield from _find_stores(folder, run)
    else:
        yield from _find_files(folder, run, pattern, recursive=recursive, decode=decode)


def _find(
    root: Path, phase: str, pattern: str, interval_h: float
) -> Iterator[tuple[Found, PictureRef]]:
    """Yield all frames found, run by run, in a fixed order."""
    for folder, recursive in run_folders(root):
        run = RunConfig(name=folder.name or "run", phase_channel=phase, interval_h=interval_h)
        yield from find_frames(folder, run, pattern, recursive=recursive)


def _find_files(
    folder: Path, run: RunConfig, pattern: str, *, recursive: bool, decode: bool
) -> Iterator[tuple[Found, PictureRef]]:
    config = FolderSourceConfig(kind="folder", path=folder, pattern=pattern)
    frames = FolderFrames(config, run)
    for seen in sorted(walk_images(folder, recursive=recursive), key=lambda each: each.locator):
        try:
            if decode:
                reading = frames.read(seen.locator, seen.fingerprint, lambda *_: False)
            else:
                reading = frames.describe(seen.locator, seen.fingerprint)
        except FrameError as error:
            refused = Found(locator=seen.locator, fingerprint=seen.fingerprint, reason=str(error))
            yield refused, PictureRef(path=folder / seen.locator)
            continue
        several = len(reading.found) > 1
        for found in reading.found:
            ref = PictureRef.parse(folder, found.locator)
            # The daemon names the first page by its file alone, which a table may not.
            yield found, replace(ref, part=ref.part or "page=0") if several else ref
    if recursive:
        # Data sets in deeper folders, which the walk over files leaves out.
        for index in sorted(folder.rglob(NDTIFF_INDEX)):
            if index.parent != folder and not is_copy(index.parent):
                yield from _find_ndtiff(index.parent, run)
        yield from _find_stores(folder, run)


def _find_stores(folder: Path, run: RunConfig) -> Iterator[tuple[Found, PictureRef]]:
    """Yield what lies in the OME-Zarr stores at or below a folder."""
    if next(find_stores(folder), None) is None:
        return
    run = run.model_copy(update={"name": store_stem(run.name)})
    stores = open_stores(OmeZarrSourceConfig(kind="ome-zarr", path=folder), run)
    for found in list_stores(stores):
        yield found, PictureRef.parse(folder, f"{found.locator}@{found.fingerprint}")


def _find_ndtiff(folder: Path, run: RunConfig) -> Iterator[tuple[Found, PictureRef]]:
    config = NDTiffSourceConfig(kind="ndtiff", path=folder)
    frames = NDTiffFrames(config, run, DEFAULT_LIMITS, None)
    data_set = DataSet(folder, DEFAULT_LIMITS, patience_s=0.0)
    # Clock for a complete data set: each call is a second after the one before.
    for second in range(_MOST_LOOKS):
        sightings = data_set.look(float(second))
        if not sightings and second:
            return
        for sighting in sightings:
            found = frames.found("", sighting)
            yield found, PictureRef.parse(folder, f"{found.locator}@{found.fingerprint}")
