"""Result of reading an image file, and the limits within which files are read."""

from dataclasses import dataclass, field

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.sources.base.facts import PlaneFacts, Statement, merged


class EmptyFileError(FrameError):
    """A file without bytes: nothing was written into it yet, or nothing ever will be."""

    def __init__(self, where: object) -> None:
        super().__init__(
            complaint("image file is empty", where=where, got="0 bytes", do="export it again")
        )


class NotWrittenError(FrameError):
    """A plane has its place in the file and is not written yet, or not completely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Limits of what a file may need; checked on what it declares, before anything is allocated.

    Parameters
    ----------
    max_pixels
        Pixels of one plane.
    max_planes
        Planes of one file.
    max_text_bytes
        Bytes of one piece of metadata: an OME-XML, an image description, a `metadata.txt`.
    """

    max_pixels: int = 8192 * 8192
    max_planes: int = 100_000
    max_text_bytes: int = 64 * 1024 * 1024


DEFAULT_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneEntry:
    """One plane found in a file.

    Parameters
    ----------
    page
        Number of the plane within the file, from 0.
    fingerprint
        Changes when the content of the plane changes.
    statements
        Statements of the file about it.
    size_px
        (height, width).
    bare
        Whether some bytes that its fingerprint covers are zeros: it may be written at the moment.
    facts
        Facts of all statements together.
    """

    page: int
    fingerprint: str
    statements: tuple[Statement, ...]
    size_px: tuple[int, int] | None = None
    bare: bool = False
    facts: PlaneFacts = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", merged(self.statements))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The planes of a file.

    Parameters
    ----------
    planes
        The complete planes.
    unfinished
        Why more may come, in a few words; None when the file is complete.
    cut_off
        Whether the file ends before its declared end, rather than waiting for the next plane.
    declared
        Number of planes that the metadata declares; 0 where it declares none.
    awaited
        Number of planes that have their place in the file already and are not written yet.
    axes_known
        False for several planes without metadata about them.
    trouble
        Why the metadata of the file does not describe them; None where it does.
    stamp
        Hash input of everything that holds for all planes of the file; see `FileMemory.keep`.
    """

    planes: tuple[PlaneEntry, ...]
    unfinished: str | None = None
    cut_off: bool = False
    declared: int = 0
    awaited: int = 0
    axes_known: bool = True
    trouble: str | None = None
    stamp: object = None

    def unnamed(self, where: object) -> str:
        """Return the message about several planes without metadata about them."""
        pages = f"{len(self.planes)} pages"
        return complaint(
            "image file has several pages and no metadata about them",
            where=where,
            got=f"{pages}: {self.trouble}" if self.trouble else pages,
            do="export OME-TIFF, or one file for each frame",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """One grey plane.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    statements
        Statements of the file about it.
    """

    pixels: Pixels
    statements: tuple[Statement, ...]

    @property
    def facts(self) -> PlaneFacts:
        """Facts of all statements together."""
        return merged(self.statements)


def check_size(height: int, width: int, where: object, limits: ReadLimits) -> None:
    """Refuse an empty plane, one pixel, and a plane larger than the limits allow.

    Raises
    ------
    FrameError
        From the declared size alone, so that nothing is allocated for it.
    """
    if height < 2 or width < 2:
        raise FrameError(
            complaint(
                "image has no extent",
                where=where,
                expected="at least 2 x 2 pixels",
                got=f"{width} x {height}",
                do="export the frame again",
            )
        )
    if height * width > limits.max_pixels:
        raise FrameError(
            complaint(
                "image declares too many pixels",
                where=where,
                expected=f"at most {limits.max_pixels}",
                got=f"{width} x {height}",
                do="export single fields of view, or crop it",
            )
        )
