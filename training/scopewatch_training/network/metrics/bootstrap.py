"""Bootstrap intervals of figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from scopewatch_training.network.metrics.as_json import figures_as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A bootstrap interval of a figure."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | int | None]:
        """Return the interval as JSON values; undefined ends are null."""
        return figures_as_json(asdict(self))


def bootstrap(
    figures: Callable[[NDArray[np.intp]], Mapping[str, float]],
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    repeats: int = 1000,
    coverage: float = 0.95,
) -> dict[str, Interval]:
    """Percentile bootstrap over whole groups (fields, or runs), since tiles of one are alike.

    Parameters
    ----------
    figures
        Maps indices into the items to named figures; nan is left out of the percentiles.
    groups
        The group of each item.
    """
    names = np.asarray(groups)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(groups)]
    values = figures(np.arange(len(names)))
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(repeats):
        picked = rng.integers(0, len(members), len(members))
        for name, value in figures(np.concatenate([members[each] for each in picked])).items():
            if isfinite(value):
                drawn[name].append(value)
    tail = 50 * (1 - coverage)
    return {
        name: Interval(value=value, low=low, high=high)
        for name, value in values.items()
        for low, high in [
            np.percentile(drawn[name], (tail, 100 - tail)).tolist() if drawn[name] else (nan, nan)
        ]
    }
