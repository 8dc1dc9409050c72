"""What a remote folder lists: files and folders, and whether one is still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

from scopewatch.sources.layouts.candidates import is_candidate_name
from scopewatch.sources.readers.downloads import CONTROL_SUFFIXES
from scopewatch.sources.readers.planes import DEFAULT_LIMITS

_SIDE_SUFFIXES: Final = (".xml", ".txt", ".json", ".mlf", ".mrf", ".mes", *CONTROL_SUFFIXES)
_MODIFIED: Final = ("LastModified", "mtime", "last_modified", "modified", "Last-Modified")
_TAGS: Final = ("ETag", "etag")
# Some servers list times in milliseconds, and give those of a single object in seconds.
_TOLERANCE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or folder of a remote folder.

    Parameters
    ----------
    path
        Relative to the remote folder.
    size
        Bytes; 0 for folders, and where it is not known.
    modified_s
        Seconds since 1970; None where it is not known.
    tag
        Changes with the content; '' where the server gives none.
    """

    path: str
    is_folder: bool
    size: int = 0
    modified_s: float | None = None
    tag: str = ""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_image(self) -> bool:
        """Whether it may be a frame, by its name."""
        return not self.is_folder and is_candidate_name(self.name)

    @property
    def is_side_file(self) -> bool:
        """Whether it may state facts about the images beside and below it."""
        return (
            not self.is_folder
            and not is_candidate_name(self.name)
            and self.name.endswith(_SIDE_SUFFIXES)
            and self.size <= DEFAULT_LIMITS.max_text_bytes
        )

    @property
    def copied_ns(self) -> int | None:
        """Time that a copy is given, in nanoseconds since 1970; None where nothing is known.

        It is that of the file, by which a copy is known again. A tag is the fraction of the
        second: stores give whole seconds, in which a file may be overwritten by one of its size.
        """
        if not self.tag:
            return None if self.modified_s is None else round(self.modified_s * 1e9)
        digest = sha256(self.tag.encode()).digest()
        fraction_ns = int.from_bytes(digest[:8]) % 1_000_000_000
        return int(self.modified_s or 0) * 1_000_000_000 + fraction_ns

    def is_same(self, other: "Entry") -> bool:
        """Return whether another look at the same path found the same content, by all known."""
        if self.size and other.size and self.size != other.size:
            return False
        if self.tag and other.tag:
            return self.tag == other.tag
        if self.modified_s is None or other.modified_s is None:
            return True
        return abs(self.modified_s - other.modified_s) < _TOLERANCE_S


def entry_of(facts: Mapping[str, Any], base: str) -> Entry:
    """Return the entry that fsspec describes, relative to the path of the remote folder."""
    moments = (facts[name] for name in _MODIFIED if facts.get(name) is not None)
    moment = next(moments, None)
    if isinstance(moment, str):
        moment = _of_header(moment)
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return Entry(
        path=str(facts["name"]).rstrip("/").removeprefix(base.rstrip("/")).lstrip("/"),
        is_folder=facts["type"] == "directory",
        size=int(facts.get("size") or 0),
        modified_s=float(moment) if isinstance(moment, int | float) else None,
        tag=next((str(facts[name]) for name in _TAGS if facts.get(name)), ""),
    )


def _of_header(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
