"""Frames and what names them: one frame is one field of view at one moment in one channel."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.moment import Moment, check_moment
from scopewatch.core.public_names import AS_EXPERIMENT
from scopewatch.core.z_stack import ChosenPlane

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
