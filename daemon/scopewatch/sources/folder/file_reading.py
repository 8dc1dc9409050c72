"""Result of reading a file, and the fingerprint suffixes for incomplete files and planes."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Origin, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.layouts.beside import PendingSideFile
from scopewatch.sources.readers.planes import Contents, PlaneEntry

# Suffix of the fingerprint of an incomplete file that was offered: it is settled in this state,
# and the file itself stays open. The complete file has another fingerprint.
GIVEN_UP = "!"
# The same suffix for a plane of a stack.
PLANE_GIVEN_UP = "!plane"
# Suffix for a file whose library is not installed: with the library it is read again.
NO_LIBRARY = "?"
_KEPT_PLANES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """Result of reading a file.

    Parameters
    ----------
    found
        Its frames, and refusals of planes that are no frames.
    unfinished
        Why more planes may come; None when the file is complete.
    cut_off
        Whether it ends before its declared end.
    missing
        Side files that do not list it so far.
    waiting
        Planes that have their place in the file and are not completely written; they are offered
        incomplete once the file is given up.
    grows
        Whether more planes are declared than written so far, in the normal course of writing.
    awaited
        How many of those have their place already: a change of them may not show in size or time.
    declared
        How many planes it declares; 0 where it declares none.
    pages
        How many planes it has room for.
    """

    found: tuple[Found, ...]
    unfinished: str | None = None
    cut_off: bool = False
    missing: tuple[PendingSideFile, ...] = ()
    waiting: tuple[Found, ...] = ()
    grows: bool = False
    awaited: int = 0
    declared: int = 0
    pages: int = 0

    @property
    def expects_more(self) -> bool:
        """Whether more planes will come by themselves, so that the file must not be given up."""
        waits = self.unfinished is not None and not self.cut_off and not self.waiting
        return waits and self.grows

    def refuse_rest(self, locator: str, fingerprint: str) -> Found:
        """Return the refusal of declared planes that a stack does not hold."""
        if self.declared:
            reason = complaint(
                "image file does not hold the planes that it declares",
                where=locator,
                expected=f"{self.declared} planes",
                got=self.unfinished,
                do="check that the writer finished; its whole planes are used",
            )
        else:
            reason = complaint(
                "image stack ends in the middle of a page",
                where=locator,
                got=self.unfinished,
                do="check that the writer finished; its whole pages are used",
            )
        return Found(locator=f"{locator}#page={self.pages}", fingerprint=fingerprint, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The frames of a file; `alone` is True for a single image, which is complete or unusable."""

    contents: Contents
    found: tuple[Found, ...]
    missing: tuple[PendingSideFile, ...] = ()
    alone: bool = False

    def reading(self) -> FileReading:
        """Return them as the result of a reading."""
        contents = self.contents
        return FileReading(
            found=self.found,
            unfinished=contents.unfinished,
            cut_off=contents.cut_off,
            missing=self.missing,
            grows=contents.declared > 0,
            awaited=contents.awaited,
            declared=contents.declared,
            pages=len(contents.planes),
        )


def refuse_file(locator: str, fingerprint: str, reason: str) -> Listed:
    """Return a file that is refused as a whole, with the reason."""
    refused = Found(locator=locator, fingerprint=fingerprint, reason=reason)
    return Listed(contents=Contents(planes=()), found=(refused,))


def changed_since(locator: str) -> FrameError:
    """Return the error for a file that was given up and may be complete by now."""
    return FrameError(
        complaint(
            "image file was not whole in time, and has changed since",
            where=locator,
            do="nothing: it is looked at again",
        )
    )


class KnownFrames:
    """Bounded cache of the frames of planes in recently read stacks."""

    def __init__(self, capacity: int = _KEPT_PLANES) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[object, Mapping[int, tuple[PlaneEntry, Found]]]] = (
            OrderedDict()
        )

    def of(self, locator: str, context: object) -> Mapping[int, tuple[PlaneEntry, Found]]:
        """Return plane and frame by page, if the context of the file is unchanged."""
        before, frames = self._kept.get(locator, (None, MappingProxyType({})))
        return frames if before == context else MappingProxyType({})

    def keep(
        self, locator: str, context: object, planes: Iterable[PlaneEntry], found: Iterable[Found]
    ) -> None:
        """Keep the frames of a file."""
        pairs = zip(planes, found, strict=True)
        self._kept.pop(locator, None)
        self._kept[locator] = (context, {plane.page: (plane, each) for plane, each in pairs})
        held = sum(len(frames) for _, frames in self._kept.values())
        while self._kept and held > self._capacity:
            _, (_, forgotten) = self._kept.popitem(last=False)
            held -= len(forgotten)


def given_up_mark(fingerprint: str) -> str:
    """Return the fingerprint under which a file that was never complete is offered."""
    return fingerprint + GIVEN_UP


def identifies_itself(statements: Iterable[Statement]) -> bool:
    """Return whether the name fits, or metadata gives more than scale and time."""
    return any(
        each.origin is Origin.NAME
        or any(part is not None for part in (*each.facts.place, each.facts.well, each.facts.site))
        for each in statements
    )


def refuse_name(found: Found) -> Found:
    """Return the refusal of a file whose name is not valid text."""
    name = found.locator.encode("utf-8", "backslashreplace").decode("utf-8")
    reason = complaint("file name is not valid text", where=name, do="rename the file")
    return Found(locator=name, fingerprint=found.fingerprint, reason=reason)
