"""From fluorescence to positive and negative: thresholds, fitted on training runs only.

What can be learnt (the pooled threshold, that of the reporter-free controls) is learnt from the
training runs and applied unchanged to held-out ones. With scope per-run or per-frame, a run's
truth is defined by its own fluorescence: stains and exposures differ between runs, and the
network never sees fluorescence, so nothing of a held-out run leaks into it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import inf, isfinite
from typing import Any, Protocol

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.histogram import Counts
from scopewatch.core.imaging.label_settings import BinariseSettings


class Measured(Protocol):
    """What thresholds need of a pair."""

    @property
    def id(self) -> str:
        """Unique name."""
        ...

    @property
    def run(self) -> str:
        """Run it belongs to."""
        ...

    @property
    def group(self) -> str:
        """`run/plate/well`, for the patterns of the controls."""
        ...

    @property
    def histogram(self) -> Counts:
        """Counts of `histogram.count_signal`."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation of the camera's noise in the signal, in counts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Fitted thresholds; `per_pair` gives the number that applies to each pair.

    Parameters
    ----------
    pooled
        The one threshold of the training runs, in counts above background; None for the
        scopes per-run and per-frame.
    by_run
        The threshold of each training run (its median for per-frame); None: no signal.
    """

    settings: BinariseSettings
    pooled: float | None
    by_run: Mapping[str, float | None] = field(default_factory=dict)

    def per_pair(self, pairs: Sequence[Measured]) -> dict[str, float]:
        """Return the threshold of each pair by its id; inf where there is no signal.

        `pairs` may be of runs that were not trained on; a run must be whole, since its
        histogram is pooled from the pairs given.
        """
        scope = self.settings.effective_scope
        if scope == "per-frame":
            return {pair.id: _threshold([pair], self.settings, None) for pair in pairs}
        by_run = {
            run: _threshold(members, self.settings, self.pooled)
            for run, members in _by_run(pairs).items()
        }
        return {pair.id: by_run[pair.run] for pair in pairs}

    def describe(self) -> str:
        """Return a description of the thresholds, for the model card."""
        settings = self.settings
        how = {
            "otsu": "Otsu",
            "triangle": "triangle",
            "mad": f"median + {settings.mad_k:g} MAD",
            "fixed": "fixed",
            "control": f"{settings.control_quantile:.2%} of reporter-free controls",
        }[settings.method]
        if self.pooled is not None:
            return f"{how}, pooled over training runs: {self.pooled:.4g} counts above background"
        figures = ", ".join(
            f"{run} {'no signal' if value is None else format(value, '.4g')}"
            for run, value in sorted(self.by_run.items())
        )
        return f"{how}, {settings.effective_scope}: {figures} counts above background"

    def to_json(self) -> dict[str, Any]:
        """Return the thresholds as JSON values."""
        return {
            "settings": self.settings.to_json(),
            "pooled": self.pooled,
            "by_run": dict(self.by_run),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Thresholds":
        """Read what `to_json` wrote."""
        return cls(
            settings=BinariseSettings.from_json(values["settings"]),
            pooled=values["pooled"],
            by_run=values["by_run"],
        )


def fit_thresholds(training: Sequence[Measured], settings: BinariseSettings) -> Thresholds:
    """Fit the binarisation on the pairs of the training runs.

    Raises
    ------
    ConfigError
        When there is no pair, or method control finds none of its controls.
    """
    if not training:
        raise ConfigError(
            complaint("no pair to fit a threshold on", where="training runs", do="add pairs")
        )
    pooled = _fit(training, settings) if settings.effective_scope == "pooled" else None
    fitted = Thresholds(settings=settings, pooled=pooled)
    each = fitted.per_pair(training)
    by_run = {
        run: _finite(float(np.median([each[pair.id] for pair in members])))
        for run, members in _by_run(training).items()
    }
    return Thresholds(settings=settings, pooled=pooled, by_run=by_run)


def has_signal(pairs: Sequence[Measured], settings: BinariseSettings) -> bool:
    """Whether the brightest thousandth of the pixels lies clearly above the camera's noise."""
    bright = histograms.quantile(histograms.pool(pair.histogram for pair in pairs), 0.999)
    return bright >= settings.min_snr * _noise(pairs)


def _threshold(
    pairs: Sequence[Measured], settings: BinariseSettings, pooled: float | None
) -> float:
    """Threshold of pairs that share one; inf when they show no signal."""
    if not has_signal(pairs, settings):
        return inf
    fitted = _fit(pairs, settings) if pooled is None else pooled
    return max(fitted, settings.floor_sigmas * _noise(pairs))


def _fit(pairs: Sequence[Measured], settings: BinariseSettings) -> float:
    if settings.method == "fixed" and settings.fixed_counts is not None:
        return settings.fixed_counts
    if settings.method == "control":
        controls = [pair for pair in pairs if _is_control(pair, settings.controls)]
        if not controls:
            raise ConfigError(
                complaint(
                    "no reporter-free pair to set the threshold by",
                    where=", ".join(sorted({pair.run for pair in pairs})),
                    expected=f"a run/plate/well like {' or '.join(settings.controls)}",
                    do="add controls to every such run, or use scope pooled or another method",
                )
            )
        pool = histograms.pool(pair.histogram for pair in controls)
        return histograms.quantile(pool, settings.control_quantile)
    pool = histograms.pool(pair.histogram for pair in pairs)
    if settings.method == "mad":
        middle, spread = histograms.median_and_spread(pool)
        return middle + settings.mad_k * spread
    if settings.method == "triangle":
        return histograms.triangle(pool)
    return histograms.otsu(pool, knee=max(settings.knee_sigmas * _noise(pairs), 1.0))


def _noise(pairs: Sequence[Measured]) -> float:
    """Noise of the pairs: their median, in counts, never quite zero."""
    return max(float(np.median([pair.noise for pair in pairs])), 1e-3)


def _is_control(pair: Measured, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(pair.group, pattern) or fnmatchcase(pair.run, pattern) for pattern in patterns
    )


def _by_run(pairs: Sequence[Measured]) -> dict[str, list[Measured]]:
    runs: dict[str, list[Measured]] = {}
    for pair in pairs:
        runs.setdefault(pair.run, []).append(pair)
    return runs


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
