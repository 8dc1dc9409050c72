"""Figures of scored runs: per run and pooled, with bootstrap intervals.

The input is one list of scored fields, from the model or from a baseline. The result is the JSON of
`evaluate` and `cross-validate`, and the content of the report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.efficiency import ErrorRates, correct
from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch_training.network.metrics.bootstrap import Interval, bootstrap
from scopewatch_training.network.metrics.images import ImageMetrics, image_metrics
from scopewatch_training.network.metrics.tiles import (
    CalibrationBin,
    TileMetrics,
    calibration_curve,
    tile_metrics,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredField:
    """A field with its labels and the scores of a model that never saw its run.

    Parameters
    ----------
    id, run
        Of the pair.
    labels
        (rows, cols) int8: 1, 0, -1 not counted.
    probability
        (rows, cols) 0 to 1.
    threshold
        Decision threshold of the model that scored it.
    rates
        Error rates of that model on other held-out runs; None where none are known.
    """

    id: str
    run: str
    labels: NDArray[np.int8]
    probability: NDArray[np.float32]
    threshold: float
    rates: ErrorRates | None = None

    def __post_init__(self) -> None:
        if self.labels.shape != self.probability.shape:
            raise ValueError(
                f"labels and scores of {self.id} differ in shape: {self.labels.shape} and"
                f" {self.probability.shape}"
            )

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(rows, cols) bool: the tiles that count."""
        return np.asarray(self.labels != NOT_COUNTED)

    @property
    def truth(self) -> float:
        """True efficiency: share of the counted tiles that are positive; nan when none counts."""
        return _mean(self.labels[self.counted] == 1)

    @property
    def raw(self) -> float:
        """Share of the counted tiles that are called positive."""
        return _mean(self.probability[self.counted] >= self.threshold)

    @property
    def corrected(self) -> float:
        """`raw` corrected by the error rates, as the daemon does; `raw` where they do not allow."""
        return correct(self.raw, self.rates).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of one set of fields."""

    tile: TileMetrics
    image: ImageMetrics
    image_raw: ImageMetrics

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "tile": self.tile.to_json(),
            "image": self.image.to_json(),
            "image_raw": self.image_raw.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Figures of all fields pooled and of each run.

    Parameters
    ----------
    intervals
        Bootstrap intervals over fields of the pooled figures, named `tile.roc_auc`.
    corrected
        Whether the error rates allowed a correction; else `image` equals `image_raw`.
    """

    pooled: Figures
    per_run: Mapping[str, Figures]
    intervals: Mapping[str, Interval]
    calibration: tuple[CalibrationBin, ...]
    fields: tuple[ScoredField, ...]
    corrected: bool

    def to_json(self, baselines: Mapping[str, "Assessment"] | None = None) -> dict[str, Any]:
        """Return the assessment, with baselines on the same split, as JSON values."""
        others = baselines or {}
        return {
            **self.pooled.to_json(),
            "corrected": self.corrected,
            "baselines": {name: other.pooled.to_json() for name, other in others.items()},
            "per_run": {
                run: {
                    **figures.to_json(),
                    "baselines": {
                        name: other.per_run[run].to_json()
                        for name, other in others.items()
                        if run in other.per_run
                    },
                }
                for run, figures in self.per_run.items()
            },
            "intervals": {name: interval.to_json() for name, interval in self.intervals.items()},
            "calibration": [asdict(each) for each in self.calibration],
            "fields": [
                {
                    "id": field.id,
                    "run": field.run,
                    "true": _number(field.truth),
                    "raw": _number(field.raw),
                    "corrected": _number(field.corrected),
                    "tiles": int(field.counted.sum()),
                }
                for field in self.fields
            ],
        }


def assess(
    fields: Sequence[ScoredField], rng: np.random.Generator, *, repeats: int = 1000
) -> Assessment:
    """Judge scored fields.

    Fields without a countable tile are left out.

    Parameters
    ----------
    rng
        For the bootstrap.
    repeats
        Bootstrap samples; 0 for no intervals.

    Raises
    ------
    ConfigError
        When no field has a countable tile.
    """
    usable = tuple(field for field in fields if field.counted.any())
    if not usable:
        raise ConfigError(
            complaint(
                "no tile to judge by",
                where="scored runs",
                do="check labels and registration in the data set's report",
            )
        )
    runs = list(dict.fromkeys(field.run for field in usable))
    by_run = {run: [field for field in usable if field.run == run] for run in runs}
    labels, probability, _ = _pool(usable)
    return Assessment(
        pooled=_figures(usable),
        per_run={run: _figures(members) for run, members in by_run.items()},
        intervals=_intervals(usable, rng, repeats) if repeats else {},
        calibration=tuple(calibration_curve(labels, probability)),
        fields=usable,
        corrected=all(field.rates is not None and field.rates.informative for field in usable),
    )


def _figures(fields: Sequence[ScoredField]) -> Figures:
    labels, probability, threshold = _pool(fields)
    truth = [field.truth for field in fields]
    return Figures(
        tile=tile_metrics(labels, probability, threshold),
        image=image_metrics([field.corrected for field in fields], truth),
        image_raw=image_metrics([field.raw for field in fields], truth),
    )


def _pool(
    fields: Sequence[ScoredField],
) -> tuple[NDArray[np.int8], NDArray[np.float32], NDArray[np.float64]]:
    """Counted tiles of all fields, flat, each with its threshold."""
    labels = np.concatenate([field.labels[field.counted] for field in fields])
    probability = np.concatenate([field.probability[field.counted] for field in fields])
    counts = [int(field.counted.sum()) for field in fields]
    return labels, probability, np.repeat([field.threshold for field in fields], counts)


def _intervals(
    fields: Sequence[ScoredField], rng: np.random.Generator, repeats: int
) -> dict[str, Interval]:
    def named(indices: NDArray[np.intp]) -> dict[str, float]:
        figures = _figures([fields[each] for each in indices])
        return {
            "tile.roc_auc": figures.tile.roc_auc,
            "tile.pr_auc": figures.tile.pr_auc,
            "tile.f1": figures.tile.f1,
            "tile.mcc": figures.tile.mcc,
            "image.r": figures.image.r,
            "image.bias": figures.image.bias,
            "image.mae": figures.image.mae,
            "image_raw.bias": figures.image_raw.bias,
            "image_raw.mae": figures.image_raw.mae,
        }

    return bootstrap(named, [field.id for field in fields], rng, repeats=repeats)


def _mean(values: NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if values.size else nan


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
