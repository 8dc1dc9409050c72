"""Frames and what names them: one frame is one field of view at one moment in one channel."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.moment import Moment, check_moment
from scopewatch.core.public_names import AS_EXPERIMENT
from scopewatch.core.z_stack import ChosenPlane, PlaneMark

# Characters of the name of a run, plate, well or channel. Metadata may state any text; these become
# keys of tables, labels of pages and parts of messages.
MOST_NAME: Final = 160

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FrameKey:
    """The unique name of a frame.

    Parameters
    ----------
    run
        The differentiation run, as the operator calls it.
    plate, well
        The plate and the well on it (`A1` .. `P24`); a dish is plate `plate`, well `A1`.
    site
        Index of the field of view within the well, from 0.
    time_point
        Index of the time-lapse, from 0.
    channel
        The illumination or fluorescence channel (`phase`, `gfp`).

    Raises
    ------
    FrameError
        Where a name is missing or longer than `MOST_NAME`, or an index negative.
    """

    run: str = field(metadata=AS_EXPERIMENT)
    plate: str
    well: str
    site: int
    time_point: int
    channel: str

    def __post_init__(self) -> None:
        for name in ("run", "plate", "well", "channel"):
            if not getattr(self, name).strip():
                raise FrameError(
                    complaint(
                        f"frame key has no {name}",
                        where=f"{self.well!r} site {self.site} time point {self.time_point}",
                        do=f"let the file name pattern or the metadata give the {name}",
                    )
                )
            if len(getattr(self, name)) > MOST_NAME:
                raise FrameError(
                    complaint(
                        f"frame key has too long a name of the {name}",
                        where=f"{getattr(self, name)[:40]}...",
                        expected=f"up to {MOST_NAME} characters",
                        got=len(getattr(self, name)),
                        do=f"let the file name pattern or the metadata give a shorter {name}",
                    )
                )
        for name in ("site", "time_point"):
            if getattr(self, name) < 0:
                raise FrameError(
                    complaint(
                        f"frame key has a negative {name}",
                        where=self.well,
                        expected=">= 0",
                        got=getattr(self, name),
                        do="check the file name pattern",
                    )
                )

    def __str__(self) -> str:
        return (
            f"{self.run}/{self.plate}/{self.well}"
            f"/s{self.site}/t{self.time_point:04d}/{self.channel}"
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """State of something that a source found, for the ledger to decide whether it needs work.

    Parameters
    ----------
    locator, fingerprint
        As in `FrameTicket`.
    content
        As in `FrameTicket`; '' where the source has not read it.
    acquired_at, elapsed_s
        When it was taken, as far as the source knows already.
    named
        Whether the source has read whose frame it is, and would offer it under that key.
    """

    locator: str
    fingerprint: str
    content: str = ""
    acquired_at: datetime | None = None
    elapsed_s: float | None = None
    named: bool = False

    @property
    def moment(self) -> Moment:
        """When it was taken."""
        return Moment(acquired_at=self.acquired_at, elapsed_s=self.elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTicket:
    """A complete frame that is ready to be loaded.

    Parameters
    ----------
    source
        Name of the source that offers it and that will load it.
    locator
        Where the source finds it again (a path, or a path and axes); opaque to all other code.
    fingerprint
        Changes when the content at `locator` changes (size and modification time of a file).
    seen_at
        When the source first saw it, aware UTC.
    content
        Names the pixels whatever their file is called and whenever it was written; '' where
        the source does not know. A new fingerprint with the same content is no new frame.
    acquired_at, elapsed_s
        When it was taken, as far as the source knows without loading it; see `Frame`.
    planes
        The planes of a stack, the lowest first, of which the sharpest is scored; empty for a single
        plane. `locator` is that of the lowest, `fingerprint` that of all.

    Raises
    ------
    FrameError
        For times that cannot be placed.
    """

    key: FrameKey
    source: str
    locator: str
    fingerprint: str
    seen_at: datetime
    content: str = ""
    acquired_at: datetime | None = None
    elapsed_s: float | None = None
    planes: tuple[PlaneMark, ...] = ()

    def __post_init__(self) -> None:
        check_moment(self.acquired_at, self.elapsed_s, self.locator)

    @property
    def moment(self) -> Moment:
        """When it was taken."""
        return Moment(acquired_at=self.acquired_at, elapsed_s=self.elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that should be a frame but cannot be given a key (an unreadable name, say).

    Parameters
    ----------
    missed
        The key of a frame that was due and never came, where it is that: nothing lies at
        `locator`, and there is nothing to try again.
    """

    source: str
    locator: str
    fingerprint: str
    reason: str
    seen_at: datetime
    missed: FrameKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """Something in quarantine that a person wants to be tried again.

    Parameters
    ----------
    number
        Grows with each that is asked for.
    locator, fingerprint, seen_at
        As the ledger knows it.
    asked_by
        Who asked, and how.
    ticket
        The frame; None for what never became one.
    """

    number: int
    source: str
    locator: str
    fingerprint: str
    seen_at: datetime
    asked_by: str
    ticket: FrameTicket | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Grey pixels of one field of view, read-only.

    Parameters
    ----------
    pixels
        (H, W) uint8 or uint16, made read-only here.
    pixel_size_um
        Width of a pixel in the specimen plane in micrometres; None where unknown.
    acquired_at
        Aware UTC; None where unknown.
    elapsed_s
        Seconds since the run's start, >= 0: from the name (`00d12h`), or from the time point and
        the interval where the frame has an index; None where unknown.
    note
        A remark on the exposure (the focus had failed before it); '' for none.
    stack
        How it was chosen from the planes of a stack; None for a single plane.

    Raises
    ------
    FrameError
        For any other shape or type: a frame is refused, never converted silently.
    """

    key: FrameKey
    pixels: Pixels
    pixel_size_um: float | None
    acquired_at: datetime | None
    elapsed_s: float | None = None
    note: str = ""
    stack: ChosenPlane | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or 0 in self.pixels.shape:
            raise FrameError(
                complaint(
                    "frame is not one grey plane",
                    where=self.key,
                    expected="shape (H, W)",
                    got=f"shape {self.pixels.shape}",
                    do="export single grey planes",
                )
            )
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise FrameError(
                complaint(
                    "frame has an unsupported pixel type",
                    where=self.key,
                    expected="8- or 16-bit unsigned integers",
                    got=self.pixels.dtype,
                    do="export the raw camera frames",
                )
            )
        if self.pixel_size_um is not None and not 0 < self.pixel_size_um < 1000:
            raise FrameError(
                complaint(
                    "frame has an impossible pixel size",
                    where=self.key,
                    expected="0 to 1000 um",
                    got=self.pixel_size_um,
                    do="correct the pixel size calibration",
                )
            )
        check_moment(self.acquired_at, self.elapsed_s, self.key)
        self.pixels.setflags(write=False)

    @property
    def moment(self) -> Moment:
        """When it was taken."""
        return Moment(acquired_at=self.acquired_at, elapsed_s=self.elapsed_s)
