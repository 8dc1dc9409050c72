"""Paths of pictures as people write them in tables: backslashes, quotes, other letter case."""

import re
import unicodedata
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from scopewatch_training.dataset.pictures import PictureRef

_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_ABOVE: Final = ("", "../", "../../", "../../../")
_MOST_LISTED: Final = 10_000
_LINK: Final = re.compile(r'(?is)=\s*HYPERLINK\(\s*"(?P<path>[^"]+)".*\)')
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?=//|\d)")
"""Begin of an address in the net or of an object in an image server: http://, s3://, omero:12."""
_MEANT_BY_A_SHELL: Final = re.compile(r"~|\$\{?\w|%\w+%|.*[*?]")
_ADDRESS: Final = re.compile(r"(?i)file:/{2,3}(?P<path>.+)")


def find_picture(folder: Path, text: str) -> PictureRef:
    r"""Return the picture that a path of a table names.

    Of a formula `=HYPERLINK("path", "text")` and a `file:` address the path in them is read. Where
    it leads to no file as it is written, backslashes are read as slashes, and letters with accents
    in their other Unicode form (macOS writes them decomposed).

    Parameters
    ----------
    folder
        Folder that relative paths count from.
    """
    text = _unwrapped(text.strip().strip('"').strip())
    slashed = text.replace("\\", "/")
    spellings = [text, slashed]
    spellings += [unicodedata.normalize(form, slashed) for form in ("NFC", "NFD")]
    refs = [PictureRef.parse(folder, each) for each in dict.fromkeys(spellings)]
    return next((ref for ref in refs if ref.is_there), refs[min(1, len(refs) - 1)])


def missing_advice(path: Path, text: str, folder: Path) -> str:
    """Return what to do about a picture that is not there; `folder` is the table's."""
    if path.is_dir():
        return "name the file: this is a folder"
    below = _below(folder, text)
    if below is not None:
        return f"write the path from the table's folder: {below} is there"
    elsewhere = _advice_on_other_places(text, path)
    if elsewhere:
        return elsewhere
    return _advice_on_names(path)


def _advice_on_other_places(text: str, path: Path) -> str:
    """Return what to do about a path that means no file of this machine; '' for any other."""
    if _DRIVE.match(text):
        return (
            "it is a path of another (Windows) machine: write it as this machine sees the file,"
            " or counted from the table's folder"
        )
    if _ELSEWHERE.match(text):
        return "it is an address: download the picture, or mount the share, and write its path"
    if _MEANT_BY_A_SHELL.match(text):
        return "write the path in full, one picture in each row: ~, $NAME and * are not filled in"
    top = Path(*path.parts[:2])
    if Path(text).is_absolute() and not top.exists():
        return f"mount the share or correct the path: this machine has no {top}"
    return ""


def _advice_on_names(path: Path) -> str:
    """Return what to do about a name that its folder does not have."""
    try:
        names = [each.name for each in islice(path.parent.iterdir(), _MOST_LISTED)]
    except OSError:
        return "correct the path; it counts from the manifest's folder"
    same = [name for name in names if name.casefold() == path.name.casefold()]
    near = same or get_close_matches(path.name, names, n=1, cutoff=0.85)
    if near:
        return f"correct the path; that folder has {near[0]}"
    return "correct the path; it counts from the manifest's folder"


def _unwrapped(text: str) -> str:
    """Return the path in a spreadsheet's link or a `file:` address; other text as it is."""
    link = _LINK.fullmatch(text)
    text = link["path"] if link else text
    address = _ADDRESS.fullmatch(text)
    if address is None:
        return text
    path = unquote(address["path"])
    return path if _DRIVE.match(path) or path.startswith("/") else f"/{path}"


def _below(folder: Path, text: str) -> str | None:
    """Return a path that leads to a file from a folder: its end, or all of it from one above."""
    parts = [part for part in _unwrapped(text).replace("\\", "/").split("/") if part]
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        for above in _ABOVE[: None if start == 0 else 2]:
            if PictureRef.parse(folder, f"{above}{end}").is_there:
                return f"{above}{end}"
    return None
