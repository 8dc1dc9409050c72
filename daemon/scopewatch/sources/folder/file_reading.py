"""What a look into a file yields, and the marks under which files and planes are handed on."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Origin, Statement
from scopewatch.sources.base.offering import Found
from scopewatch.sources.layouts.beside import PendingSideFile
from scopewatch.sources.readers.planes import Contents, PlaneEntry

# Ends the fingerprint of a file that was handed on though it is not whole: it is settled as it
# is, and the file itself stays open. Once it is whole it is another.
GIVEN_UP = "!"
# Ends that of a plane of a stack, likewise.
PLANE_GIVEN_UP = "!plane"
# Ends that of a file whose library is not installed: with it, the file is another.
NO_LIBRARY = "?"
_KEPT_PLANES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """What a look into a file found.

    Parameters
    ----------
    found
        Its frames, and refusals of planes that are none.
    unfinished
        Why more may come; None when the file is whole.
    cut_off
        It ends before what it declares.
    missing
        Files beside it that do not tell of it so far.
    waiting
        Planes that have their place in it and are not completely written; they are handed on so
        once the file is given up.
    grows
        More planes are declared than are written so far, and that is as it should be.
    awaited
        How many of those have their place already: a change of them may not show from outside.
    declared
        How many planes it declares; 0 where it does not say.
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
        """Whether planes will come by themselves: nothing is wrong, and nothing to be given up."""
        waits = self.unfinished is not None and not self.cut_off and not self.waiting
        return waits and self.grows

    def refuse_rest(self, locator: str, fingerprint: str) -> Found:
        """Return the refusal of what a stack should hold besides its whole planes."""
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
    """The frames of a file; `alone` is true of a single image, which is whole or nothing."""

    contents: Contents
    found: tuple[Found, ...]
    missing: tuple[PendingSideFile, ...] = ()
    alone: bool = False

    def reading(self) -> FileReading:
        """Return what is told of them."""
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
    """Return a file as a whole as no frame, and why."""
    refused = Found(locator=locator, fingerprint=fingerprint, reason=reason)
    return Listed(contents=Contents(planes=()), found=(refused,))


def changed_since(locator: str) -> FrameError:
    """Return the complaint about something given up that may be whole by now."""
    return FrameError(
        complaint(
            "image file was not whole in time, and has changed since",
            where=locator,
            do="nothing: it is looked at again",
        )
    )


class KnownFrames:
    """The frames of the planes of stacks that were read lately, within bounds."""

    def __init__(self, capacity: int = _KEPT_PLANES) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[object, Mapping[int, tuple[PlaneEntry, Found]]]] = (
            OrderedDict()
        )

    def of(self, locator: str, context: object) -> Mapping[int, tuple[PlaneEntry, Found]]:
        """Return plane and frame by page, where all else that is told of a file is as it was."""
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
    """Return the fingerprint under which a file that never got whole is handed on."""
    return fingerprint + GIVEN_UP


def identifies_itself(statements: Iterable[Statement]) -> bool:
    """Tell whether a name fits, or metadata says more than scale and time."""
    return any(
        each.origin is Origin.NAME
        or any(part is not None for part in (*each.facts.place, each.facts.well, each.facts.site))
        for each in statements
    )


def refuse_name(found: Found) -> Found:
    """Return the refusal of a file whose name is no text."""
    name = found.locator.encode("utf-8", "backslashreplace").decode("utf-8")
    reason = complaint("file name is not valid text", where=name, do="rename the file")
    return Found(locator=name, fingerprint=found.fingerprint, reason=reason)
