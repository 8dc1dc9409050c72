"""Files that by their names are copies of another: never a frame, and always reported.

File managers, browsers and synchronisers add a mark before or after the name of a copied file.
With it `plate_A1_s0_t0003_phase (1).tif` would be a frame of a channel `phase (1)`, and `Copy of
plate_...` one of another plate. Only a mark at the beginning or end of the file name proper counts:
`Plate (1)_A1_s0_t0000_phase.tif` is a frame, as is every file in a folder `run (1)`.

Windows also adds a number in brackets to files that are renamed together. So it marks a copy only
where the name without it fits the pattern too, and the pattern reads no number from the brackets.
"""

import re
from dataclasses import dataclass
from functools import cache

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts.naming import NamePattern

# Words for a copy (file managers) and for a conflict (synchronisers), in their languages.
_COPY = (
    "copy|copie|copia|c\u00f3pia|kopie|kopia|kopi|kopio|m\u00e1solat|kopya"
    "|\u043a\u043e\u043f\u0438\u044f|\u30b3\u30d4\u30fc|\u526f\u672c|\ubcf5\uc0ac\ubcf8"
)
_CLASH = (
    r"conflict\w*|sfconflict|konflikt\w*|conflit\w*|conflicto|conflitto|case clash"
    "|\u7af6\u5408\\w*|\u51b2\u7a81\\w*"
)
_OF = "of|von|de|di|van|av|af"
_DAY = r"\d{4}-?\d\d-?\d\d"
# Before the name: `Copy of X`, `Copy (2) of X`, and Windows XP in Japanese.
_BEFORE = (
    rf"(?is)(?:(?:{_COPY})(?: ?\(\d+\))? (?:{_OF}) |\u30b3\u30d4\u30fc ?(?:\(\d+\) ?)?[\uff5e~] ?)"
    r"(?P<original>.+)"
)
_BEHIND = tuple(
    rf"(?is)(?P<original>.+?){mark}"
    for mark in (
        # `X - Copy (2)`, `X copy 2`, `X_copy`
        rf"(?:[ _]?[-\u2013\u2014_ ] ?|\u306e|\u7684)(?:{_COPY})(?: ?\d{{1,3}}| ?\(\d{{1,3}}\))?",
        # `X (copy)`, `X (3rd copy)`, `X (Anna's conflicted copy 2024-01-01)`, `X [Conflict]`
        rf"[ _]?(?P<open>[\[(])(?:[^()\[\]]*\W)?(?:{_COPY}|{_CLASH})(?:\W[^()\[\]]*)?[\])]",
        # Synology Drive, before the shorter one; Syncthing; ownCloud, Unison and rclone
        r"_[^_]+_[A-Z][a-z]{2}-\d\d-\d{4,6}-\d{4}_conflict",
        r"\.sync-conflict-\d{8}-\d{6}(?:-\w{7})?",
        rf"[._-]conflict(?:\d{{1,3}}|-{_DAY}-?\d{{6}})?",
        # older versions of Syncthing, of FreeFileSync
        rf"~{_DAY}(?:[-_T ]?\d{{4,9}})?",
        rf"\.\w{{3,4}} {_DAY} \d{{6}}",
        # OneDrive appends the name of the computer that Windows gave it
        r"-(?:DESKTOP|LAPTOP)-[A-Z0-9]{7}",
        r"\.(?:bak|backup|orig)",
    )
)
_NUMBERED = re.compile(r"(?s)(?P<original>.+?) ?\(\d{1,3}\)")
# A copy of a copy of a copy.
_COPIED_AGAIN = 4
_NUMBERS = ("well", "site", "time_point", "z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Original of a copy, by the name of the copy.

    Parameters
    ----------
    original
        Path of the original, relative to the source's folder.
    certain
        False for a number in brackets alone.
    """

    original: str
    certain: bool


@cache
def _marks() -> tuple[re.Pattern[str], ...]:
    # Compiled when the first name is read: the start of the daemon need not wait for it.
    return tuple(re.compile(each) for each in (_BEFORE, *_BEHIND))


def copied_from(locator: str) -> Copied | None:
    """Return the original of a file by its name; None where the name has no such mark.

    >>> copied_from("run/X - Copy (2).tif").original, copied_from("X (1).ome.tif").original
    ('run/X.tif', 'X.ome.tif')
    >>> copied_from("Plate (1)_A1_s0_t0000_phase.tif") is None
    True
    """
    folder, slash, name = locator.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if stem.casefold().endswith(".ome"):
        stem, suffix = stem[:-4], f"{stem[-3:]}.{suffix}"
    for pattern in _marks():
        match = pattern.fullmatch(stem)
        if match is not None:
            return Copied(original=f"{folder}{slash}{match['original']}{dot}{suffix}", certain=True)
    match = _NUMBERED.fullmatch(stem)
    if match is None:
        return None
    return Copied(original=f"{folder}{slash}{match['original']}{dot}{suffix}", certain=False)


def refuse_copy(locator: str, names: NamePattern, *, identifies_itself: bool) -> None:
    """Refuse a file that is a copy of what would be a frame.

    Parameters
    ----------
    locator
        Its path relative to the source's folder.
    identifies_itself
        Whether the metadata name the frame, so that the file is one whatever its name.

    Raises
    ------
    FrameError
        Naming the original.
    """
    original = _original(locator, names, identifies_itself)
    if original is not None:
        raise FrameError(
            complaint(
                "a copy of another file is never a frame",
                where=locator,
                got=f"a copy of {original}",
                do="remove it, or give it that name where the original is gone",
            )
        )


def _original(locator: str, names: NamePattern, identifies_itself: bool) -> str | None:
    copied = copied_from(locator)
    for _ in range(_COPIED_AGAIN):
        if copied is None:
            return None
        fits, reading = _read(names, copied.original)
        if copied.certain:
            if fits or identifies_itself:
                return copied.original
        elif fits and _numbers(reading) == _numbers(_read(names, locator)[1] or reading):
            return copied.original
        copied = copied_from(copied.original)
    return None


def _read(names: NamePattern, locator: str) -> tuple[bool, PlaneFacts | None]:
    """Return whether a name fits, and its facts; a name whose time is no time point fits, too."""
    try:
        reading = names.read(locator)
    except FrameError:
        return True, None
    return reading is not None, reading


def _numbers(reading: PlaneFacts | None) -> tuple[object, ...]:
    return () if reading is None else tuple(getattr(reading, name) for name in _NUMBERS)
