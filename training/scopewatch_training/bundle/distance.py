"""Limit on the distance of a frame from the training frames, over all texture measures together.

Limits on single measures make a box. A frame of another kind may lie in a corner of it where no
training frame is. The Mahalanobis distance (Proc. Nat. Inst. Sci. India 2:49, 1936) to the training
frames detects that.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from scopewatch.core.imaging.model_card.limits import DistanceLimit
from scopewatch.core.imaging.quality import distance_to

Frames = Sequence[Mapping[str, float]]

LEFT_OUT_WITHIN: Final = 0.98
"""Share of the left-out frames that the limit is laid around, before it is widened: a few empty
or crowded fields among hundreds must not open it to everything."""


def learn_distance(
    groups: Mapping[str, Frames], spreads: Mapping[str, float]
) -> DistanceLimit | None:
    """Learn the distance, and its limit by leaving each group out once.

    Parameters
    ----------
    groups
        Measures of the frames of each run, or of each well of one run.
    spreads
        Standard deviation by which each measure is taken to vary from day to day, in its units.

    Returns
    -------
    None with fewer than two groups: there is none to leave out.
    """
    if len(groups) < 2:
        return None
    left_out = []
    for name, frames in groups.items():
        others = _around(_frames_of(groups, without=name), spreads)
        left_out += [distance_to(frame, others)[0] for frame in frames]
    usual = float(np.quantile(left_out, LEFT_OUT_WITHIN))
    # Groups that are all alike do not show how far the next one lies; this far is not unusual.
    limit = widening(len(groups)) * max(usual, sqrt(len(spreads)))
    return _around(_frames_of(groups), spreads, limit=limit)


def widening(groups: int) -> float:
    """Return how much farther than the left-out frames the limit lies.

    The fewer groups there are, the farther the next one may lie: twice as far with two, half more
    with three, a sixth more with seven.
    """
    return 1 + 1 / (groups - 1)


def _around(frames: Frames, spreads: Mapping[str, float], limit: float = 1.0) -> DistanceLimit:
    """Return the distance to some frames.

    The covariance is that of the frames in units of the spreads, shrunk (Ledoit and Wolf,
    J. Multivariate Analysis 88:365, 2004), with that of the spreads on top: a few runs do not
    show how much further runs vary.
    """
    names = tuple(spreads)
    units = np.array([spreads[name] for name in names])
    values = np.array([[frame[name] for name in names] for frame in frames]) / units
    mean = values.mean(axis=0)
    covariance = np.zeros((len(names), len(names)))
    if np.ptp(values, axis=0).any():
        # scikit-learn's functions carry no types.
        shrunk: NDArray[np.float64] = ledoit_wolf(values - mean, assume_centered=True)[0]
        covariance = shrunk
    precision = np.linalg.inv(covariance + np.eye(len(names))) / np.outer(units, units)
    return DistanceLimit(
        measures=names,
        mean=tuple(_round(value) for value in mean * units),
        precision=tuple(tuple(_round(value) for value in row) for row in precision),
        limit=_round(limit),
    )


def _frames_of(groups: Mapping[str, Frames], without: str | None = None) -> Frames:
    return [frame for name, frames in groups.items() if name != without for frame in frames]


def _round(value: float) -> float:
    return float(f"{value:.6g}")
