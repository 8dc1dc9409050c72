"""Fluorescence of the final day compared with estimates and forecasts of a run.

Against *now* (the estimate of the last phase frames) it shows the bias of the model on this run;
against the forecasts of earlier days it shows their error. The card promises both: a half width
that held in nine of ten held-out frames, and the residual of each held-out run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.histogram import Counts
from scopewatch.core.imaging.labels import prevalence
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors

FEWEST_WELLS: Final = 4
"""With fewer wells a run is never called a departure from the card: one odd well would decide."""
LEAST_BIAS: Final = 0.02
"""Two points lie within the error of the labels themselves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """A fluorescence frame of a run; a `core.imaging.binarise.Measured`.

    Parameters
    ----------
    id
        Unique within the run.
    group
        `run/plate/well`.
    """

    id: str
    run: str
    group: str
    reading: FluorescenceReading

    @property
    def histogram(self) -> Counts:
        """Of the signal."""
        return self.reading.histogram

    @property
    def noise(self) -> float:
        """Of the camera, in counts."""
        return self.reading.noise


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEfficiency:
    """The threshold that applied to a frame (inf: no signal), and its share of positive tiles."""

    threshold: float
    efficiency: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """An efficiency estimated or forecast for a well, with its interval; 0 to 1."""

    day: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WellEnd:
    """A well on the final day: measured, estimated and forecast.

    Parameters
    ----------
    now
        The estimate of its last phase frames; None where none could be judged.
    forecasts
        Of earlier days, by day.
    """

    plate: str
    well: str
    measured: float
    now: Prediction | None
    forecasts: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Errors of a set of wells; fractions, estimate - measured."""

    wells: int
    bias: float
    mae: float
    held: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A run compared with the promise of the model card.

    Parameters
    ----------
    now
        Of the estimates on the final day; None where no well has both.
    by_day
        Of the forecasts of each earlier day.
    half_width, coverage, largest_residual
        What the card promises: the interval, how often it holds, and by how much the held-out run
        that was farthest off was off. None where the card knows no error rates, or those of one
        run, which promise nothing of another.
    departs
        Why the run departs from the promise, one line; empty where it does not, or where
        that is unknown.
    """

    wells: int
    now: Accuracy | None
    by_day: Mapping[float, Accuracy]
    half_width: float | None
    coverage: float | None
    largest_residual: float | None
    departs: str


def measure_fields(fields: Sequence[Field], thresholds: Thresholds) -> dict[str, FieldEfficiency]:
    """Binarise the frames of one run and count their positive tiles, by id.

    Raises
    ------
    ConfigError
        With method control, while no frame of the run is one of the controls.
    """
    found = {}
    for_each = thresholds.per_pair(fields)
    for each in fields:
        threshold = for_each[each.id]
        share = prevalence(each.reading.label(threshold))
        found[each.id] = FieldEfficiency(threshold=threshold, efficiency=share)
    return found


def judge_run(wells: Sequence[WellEnd], errors: HeldOutErrors | None) -> RunReport:
    """Compare a run with the promise of the model card."""
    now = _accuracy([(each.now, each.measured) for each in wells if each.now is not None])
    pairs: dict[float, list[tuple[Prediction, float]]] = {}
    for each in wells:
        for prediction in each.forecasts:
            pairs.setdefault(round(prediction.day, 2), []).append((prediction, each.measured))
    found = {day: _accuracy(pairs[day]) for day in sorted(pairs)}
    by_day = {day: accuracy for day, accuracy in found.items() if accuracy is not None}
    promises = errors is not None and errors.half_width is not None
    residuals = [abs(each) for each in errors.run_residuals.values()] if errors else []
    largest = max(residuals, default=None) if promises else None
    return RunReport(
        wells=len(wells),
        now=now,
        by_day=by_day,
        half_width=errors.half_width if errors else None,
        coverage=errors.coverage if errors and promises else None,
        largest_residual=largest,
        departs="" if errors is None or now is None else _departure(now, errors, largest or 0.0),
    )


def _departure(now: Accuracy, errors: HeldOutErrors, largest: float) -> str:
    """Return how a run departs from the card; empty where it keeps the promise."""
    if now.wells < FEWEST_WELLS:
        return ""
    if abs(now.bias) > max(largest, LEAST_BIAS):
        way = "high" if now.bias > 0 else "low"
        known = (
            "the model was trained on one run, which says nothing of others"
            if errors.half_width is None
            else f"no held-out run was off by more than {100 * largest:.1f}"
        )
        return f"wells read {100 * abs(now.bias):.1f} points too {way} on average; {known}"
    # Two standard errors, as if wells were independent: they are less so, but a run whose wells
    # share an error shows in its bias.
    least = errors.coverage - 2 * sqrt(errors.coverage * (1 - errors.coverage) / now.wells)
    if now.held < least:
        return (
            f"the interval held {now.held:.0%} of {now.wells} wells; the card promises"
            f" {errors.coverage:.0%}"
        )
    return ""


def _accuracy(pairs: Sequence[tuple[Prediction, float]]) -> Accuracy | None:
    if not pairs:
        return None
    off = np.array([prediction.value - measured for prediction, measured in pairs])
    held = [prediction.low <= measured <= prediction.high for prediction, measured in pairs]
    return Accuracy(
        wells=len(pairs),
        bias=float(off.mean()),
        mae=float(np.abs(off).mean()),
        held=float(np.mean(held)),
    )
