"""Interface of the readers of vendor formats, and checks that they share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.decode import DECODE_FAULTS
from scopewatch.sources.readers.planes import ReadLimits

# Errors that the libraries raise on damaged or unknown files: nd2 0.12 also a NameError, where the
# description of a channel lacks its probe.
FAULTS: Final = (*DECODE_FAULTS, AssertionError, NameError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPlane:
    """One plane of a file.

    Parameters
    ----------
    place
        Where the reader finds its pixels.
    fingerprint
        Changes when the content of the plane changes; the same in a copy of the file.
    size_px
        (height, width).
    """

    place: Any
    fingerprint: str
    size_px: tuple[int, int]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFile:
    """The planes of a file.

    Parameters
    ----------
    unfinished
        Why it cannot be read yet, in a few words; None for a closed file.
    """

    planes: tuple[VendorPlane, ...] = ()
    unfinished: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorReader:
    """Functions that read files of one format.

    Parameters
    ----------
    list_file
        Lists the planes of a file, without their pixels.
    read_pixels
        Reads the pixels at the `place` of a plane.
    """

    list_file: Callable[[Path, ReadLimits], VendorFile]
    read_pixels: Callable[[Path, Any], NDArray[Any]]


def stated(*parts: tuple[Origin, str, PlaneFacts]) -> tuple[Statement, ...]:
    """Return statements for the parts that hold a fact."""
    return tuple(
        Statement(origin=origin, by=by, facts=facts)
        for origin, by, facts in parts
        if facts != NOTHING
    )


def refuse_too_many(planes: int, where: object, limits: ReadLimits) -> None:
    """Refuse a file that declares more planes than the limit, before any is listed.

    Raises
    ------
    FrameError
        Naming the limit.
    """
    if planes > limits.max_planes:
        raise FrameError(
            complaint(
                "image file has too many planes",
                where=where,
                expected=f"at most {limits.max_planes}",
                got=planes,
                do="split the file, or raise `limits.max_planes`",
            )
        )


def refuse_dimensions(found: dict[str, int], where: object) -> None:
    """Refuse a file with dimensions that no frame of a time-lapse has: phases, views, wavelengths.

    Parameters
    ----------
    found
        Length of the unknown dimensions, by name.

    Raises
    ------
    FrameError
        When one of them is longer than 1.
    """
    longer = {name: length for name, length in found.items() if length > 1}
    if longer:
        raise FrameError(
            complaint(
                "image file has unknown dimensions",
                where=where,
                expected="time, position, channel, z",
                got=", ".join(f"{name} of length {length}" for name, length in longer.items()),
                do="export the planes that are to be scored as OME-TIFF",
            )
        )
