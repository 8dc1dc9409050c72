"""Decides by path and name whether a file may be a frame: one rule for all sources.

The walk at the start, file system events, rescans and `score` call the same function, so that all
of them skip the same files. It uses only the path below the source's folder, not the disk: the
folder itself may be hidden or have any name.

Skipped without a log line: files whose suffix is not that of an image; hidden files and folders
(`.~tmp~` of rsync, `.stversions` of Syncthing, `.snapshot`, `.Trash-1000`); files that a program
fills under a temporary name; recycle bins, snapshots and thumbnails of file servers. Copies are not
skipped here (`copies`): they look like frames, so that leaving one out must be visible.
"""

from collections.abc import Collection

from scopewatch.sources.readers.image_file import is_image_name

MAX_DEPTH = 64
ZARR_SUFFIX = ".zarr"
# Metadata files of a group or an array, Zarr v3 and v2.
ZARR_METADATA = frozenset({"zarr.json", ".zgroup", ".zarray"})
# Last parts of temporary names; before the suffix of an image too.
_BEGUN = frozenset(
    {
        "aria2",
        "aria2__temp",
        "crdownload",
        "download",
        "ffs_tmp",
        "filepart",
        "incomplete",
        "opdownload",
        "part",
        "partial",
        "tmp",
    }
)
# Folders of file servers, systems and synchronisers without data of their own: deleted files, older
# versions, thumbnails. Compared without regard to case.
_FOREIGN = frozenset(
    {
        "#recycle",  # Synology
        "#snapshot",
        "@eadir",
        "@tmp",
        "@recycle",  # QNAP
        "@recently-snapshot",
        "$recycle.bin",  # Windows
        "recycler",
        "system volume information",
        "lost+found",
        "__macosx",  # resource forks, after unpacking
        "_gsdata_",  # GoodSync
    }
)


def is_candidate(locator: str) -> bool:
    """Return whether a file may be a frame, by its path relative to the source's folder.

    >>> is_candidate("run/plate_A1_s0_t0000_phase.tif")
    True
    >>> is_candidate(".~tmp~/plate_A1_s0_t0000_phase.tif"), is_candidate("a.tif.part")
    (False, False)
    """
    folder, _, name = locator.rpartition("/")
    return is_candidate_name(name) and (
        not folder or (is_folder_of_candidates(folder) and not is_store_name(folder))
    )


def is_folder_of_candidates(locator: str) -> bool:
    """Return whether a folder may hold frames, or is a Zarr store, by its path.

    >>> is_folder_of_candidates("run/day 3"), is_folder_of_candidates("run.zarr/0")
    (True, False)
    """
    folders = locator.split("/")
    return (
        len(folders) <= MAX_DEPTH
        and all(map(is_candidate_folder, folders))
        and not any(map(is_store_name, folders[:-1]))
    )


def is_within(locator: str, folders: Collection[str]) -> bool:
    """Return whether a path lies in one of some folders, or is one; '' is the root of all.

    >>> is_within("a/b/c", {"a/b"}), is_within("a/bc", {"a/b"})
    (True, False)
    """
    return any(not folder or f"{locator}/".startswith(f"{folder}/") for folder in folders)


def is_candidate_name(name: str) -> bool:
    """Return whether a file may be a frame by its own name, in a folder that is known to be fit."""
    return is_image_name(name) and not _is_passed_over(name.rpartition(".")[0])


def is_store_name(name: str) -> bool:
    """Return whether a folder has the name of a Zarr store: thousands of files, none an image file.

    >>> is_store_name("plate.ome.zarr"), is_store_name("zarr")
    (True, False)
    """
    return name.endswith(ZARR_SUFFIX)


def is_candidate_folder(name: str) -> bool:
    """Return whether a folder may hold frames, by its own name.

    >>> is_candidate_folder("run 7"), is_candidate_folder(".stversions")
    (True, False)
    """
    return not _is_passed_over(name) and name.casefold() not in _FOREIGN


def _is_passed_over(stem: str) -> bool:
    """Return whether a name is hidden or temporary."""
    if stem.startswith((".", "~")):
        return True
    rest, dot, last = stem.rpartition(".")
    return bool(rest and dot) and last.casefold() in _BEGUN
