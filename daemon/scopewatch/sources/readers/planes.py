"""What reading an image file yields, and the limits within which files are read."""

from dataclasses import dataclass, fields
from datetime import datetime

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.frame import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """How much a file may ask for; checked on what it declares, before anything is allocated.

    Parameters
    ----------
    max_pixels
        Of one plane.
    max_planes
        Of one file.
    max_text_bytes
        Of one piece of metadata: an OME-XML, an image description, a `metadata.txt`.
    """

    max_pixels: int = 8192 * 8192
    max_planes: int = 100_000
    max_text_bytes: int = 64 * 1024 * 1024


DEFAULT_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFacts:
    """What a file says of one of its planes besides the pixels; None where it is silent.

    Parameters
    ----------
    position
        The label (or number) of the stage position, as written.
    """

    time_point: int | None = None
    channel: str | None = None
    z: int | None = None
    position: str | int | None = None
    pixel_size_um: float | None = None
    acquired_at: datetime | None = None

    def over(self, lesser: "PlaneFacts") -> "PlaneFacts":
        """Return these facts, completed by a lesser witness."""
        return PlaneFacts(
            **{
                field.name: mine if (mine := getattr(self, field.name)) is not None else theirs
                for field in fields(self)
                for theirs in (getattr(lesser, field.name),)
            }
        )

    @property
    def place(self) -> tuple[int | None, str | None, int | None, str | int | None]:
        """Which plane of a file it is."""
        return self.time_point, self.channel, self.z, self.position


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneEntry:
    """One plane found in a file.

    Parameters
    ----------
    page
        Its number within the file, from 0.
    fingerprint
        Changes when the plane's content changes.
    """

    page: int
    fingerprint: str
    facts: PlaneFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The planes of a file.

    Parameters
    ----------
    planes
        Those that are whole.
    unfinished
        Why more may come, in a few words; None when the file is complete.
    cut_off
        The file ends before what it declares, so it is not just waiting for the next plane.
    axes_known
        False for several planes of which nothing says what they are.
    """

    planes: tuple[PlaneEntry, ...]
    unfinished: str | None = None
    cut_off: bool = False
    axes_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """One grey plane.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16.
    """

    pixels: Pixels
    facts: PlaneFacts


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
