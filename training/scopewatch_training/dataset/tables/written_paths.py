"""Paths of pictures as people write them in tables: backslashes, quotes, other letter case."""

import re
import unicodedata
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

from scopewatch_training.dataset.pictures import PictureRef

_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_MOST_LISTED: Final = 10_000


def find_picture(folder: Path, text: str) -> PictureRef:
    r"""Return the picture that a path of a table names.

    Where the path as it is written leads to no file, backslashes are read as slashes, and letters
    with accents in their other Unicode form (macOS writes them decomposed).

    Parameters
    ----------
    folder
        Folder that relative paths count from.
    """
    text = text.strip().strip('"').strip()
    slashed = text.replace("\\", "/")
    spellings = [text, slashed]
    spellings += [unicodedata.normalize(form, slashed) for form in ("NFC", "NFD")]
    refs = [PictureRef.parse(folder, each) for each in dict.fromkeys(spellings)]
    return next((ref for ref in refs if ref.is_there), refs[min(1, len(refs) - 1)])


def missing_advice(path: Path, text: str) -> str:
    """Return what to do about a picture that is not there."""
    if _DRIVE.match(text):
        return (
            "it is a path of another (Windows) machine: write it as this machine sees the file,"
            " or counted from the table's folder"
        )
    try:
        names = [each.name for each in islice(path.parent.iterdir(), _MOST_LISTED)]
    except OSError:
        return "correct the path; it counts from the manifest's folder"
    same = [name for name in names if name.casefold() == path.name.casefold()]
    near = same or get_close_matches(path.name, names, n=1, cutoff=0.85)
    if near:
        return f"correct the path; that folder has {near[0]}"
    return "correct the path; it counts from the manifest's folder"
