"""The result of the analysis of one frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.tiling import SquareScores, TileScores


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a frame can be judged; `reason` is one line for the operator, empty when it can."""

    fault: Fault | None
    reason: str
    measures: dict[str, float]

    def __post_init__(self) -> None:
        if (self.fault is None) != (self.reason == ""):
            raise ValueError("a verdict has a reason if and only if it has a fault")

    @property
    def judged(self) -> bool:
        """True when the frame is fit to be scored."""
        return self.fault is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Milliseconds spent on one frame, step by step."""

    normalise_ms: float
    score_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameResult:
    """The analysis of one frame.

    Parameters
    ----------
    model_id
        First twelve hex digits of the model's SHA-256.
    verdict
        When it has a fault, `scores`, `positive_fraction` and `efficiency` are None.
    positive_fraction
        Raw share of valid tiles at or above the card's threshold, 0 to 1.
    efficiency
        `positive_fraction` corrected by the card's error rates, with its interval.
    view
        (H, W) float32 normalised frame at the model's scale, for the overlay.
    view_um_per_px
        Width of a pixel of `view` (and so of the stain), which is the camera's or, where the
        frame was resampled, the model's; None where unknown.
    squares
        The finer stain, where the network gives one.
    """

    key: FrameKey
    model_id: str
    verdict: Verdict
    scores: TileScores | None
    positive_fraction: float | None
    efficiency: Efficiency | None
    view: NDArray[np.float32] | None
    timings: Timings
    view_um_per_px: float | None = None
    squares: SquareScores | None = None

    def __post_init__(self) -> None:
        complete = None not in (self.scores, self.positive_fraction, self.efficiency)
        if self.verdict.judged != complete:
            raise ValueError("a judged frame has scores and an efficiency, another has none")
