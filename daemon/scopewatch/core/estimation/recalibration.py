"""A run that was measured, as the daemon proposes it for recalibration: one JSON file.

The daemon writes it through these models and `scopewatch-train recalibrate` reads it through them,
strictly. It holds no picture, only the scores of each frame's tiles against their labels and the
estimates of each well by day: all that error rates, threshold and forecast depend on.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scopewatch.core.imaging.labels import Labels

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FrameTally(_Strict):
    """Histogram of the tile scores of a frame: for each score, the number of tiles by label.

    Scores of an int8 model take at most 256 values, so this is exact and small.
    """

    id: str
    run: str
    scores: tuple[Fraction, ...]
    positive: tuple[Count, ...]
    negative: tuple[Count, ...]

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if not len(self.scores) == len(self.positive) == len(self.negative):
            raise ValueError(f"scores and counts of {self.id} differ in number")
        return self


class CourseDay(_Strict):
    """The running estimate of a well on a day, and its trend per day."""

    day: float
    estimate: Fraction
    trend: float


class WellCourse(_Strict):
    """The estimates of a well through the run, and its fluorescence at the end."""

    plate: str
    well: str
    final: Fraction
    days: tuple[CourseDay, ...]


class Proposal(_Strict):
    """A run for `scopewatch-train recalibrate`.

    Parameters
    ----------
    why
        How the run departs from the card.
    bias, mae
        Of the estimates on the final day against fluorescence; fractions.
    """

    schema_version: Literal[1] = 1
    run: str = Field(min_length=1)
    simulated: bool
    model_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    made_at: datetime
    final_day: float
    why: str
    bias: float
    mae: float
    frames: tuple[FrameTally, ...] = Field(min_length=1)
    wells: tuple[WellCourse, ...] = Field(min_length=1)


def tally(
    name: str, run: str, labels: Labels, scores: NDArray[np.float32], counted: NDArray[np.bool_]
) -> FrameTally:
    """Count the scores of a frame's tiles by their label.

    Parameters
    ----------
    labels, scores, counted
        (rows, cols) each: 1 or 0, 0 to 1, and which tiles count.
    """
    found, place = np.unique(scores[counted], return_inverse=True)
    truth = labels[counted] == 1
    positive = np.bincount(place[truth], minlength=len(found))
    negative = np.bincount(place[~truth], minlength=len(found))
    return FrameTally(
        id=name,
        run=run,
        scores=tuple(float(score) for score in found),
        positive=tuple(int(count) for count in positive),
        negative=tuple(int(count) for count in negative),
    )
