"""How far an int8 network is from its float network, beside what single tiles give by chance.

A frame has few tiles: one of 256 is 0.4 percentage points of its efficiency. Rounding moves some
tiles near the threshold to its other side. Where either direction is as likely, the efficiencies
of small frames lie apart by that alone. So limits allow what a bundle may be off or, where it is
more, what as many changed tiles give by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from scopewatch_training.network.calibrate import ScoredFrame

MOST_AUC = 0.002
"""How far the AUC of an int8 network may be from its float network's."""
MOST_POINTS = 0.5
"""How many percentage points the efficiencies of the two may be apart on average over frames."""
MOST_CHANGED = 0.05
"""Which share of the tiles rounding may move to the other side of the threshold."""
DEVIATIONS = 3.0
"""Standard deviations above what is expected by chance that a limit allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far int8 and float32 differ on the same frames.

    Parameters
    ----------
    frames, tiles
        Frames compared, and their counted tiles together.
    changed
        Tiles that the two call differently.
    auc_float, auc_int8
        Area under the ROC curve over tiles; nan where the frames hold one class only.
    auc_error
        Standard error of the difference of both (DeLong et al., 1988, for paired scores).
    mean_points, worst_points
        Mean and largest difference of a frame's raw efficiency, in percentage points.
    shift_points
        Difference of the share of positive tiles over all frames, int8 - float32, in points.
    chance_points, chance_shift_points
        What `mean_points` and the size of `shift_points` stay below where each changed tile was
        as likely to change in either direction: mean and three standard deviations.
    worst_probability
        Largest difference of one tile's probability.
    """

    frames: int
    tiles: int
    changed: int
    auc_float: float
    auc_int8: float
    auc_error: float
    mean_points: float
    worst_points: float
    shift_points: float
    chance_points: float
    chance_shift_points: float
    worst_probability: float

    @property
    def most_auc(self) -> float:
        """Limit of the difference in AUC: what it may be off, and three standard errors."""
        return MOST_AUC if isnan(self.auc_error) else MOST_AUC + DEVIATIONS * self.auc_error

    @property
    def most_points(self) -> float:
        """Limit of the mean difference of a frame's efficiency, in points."""
        return max(MOST_POINTS, self.chance_points)

    @property
    def most_shift_points(self) -> float:
        """Limit of the shift of all frames together, in points."""
        return max(MOST_POINTS, self.chance_shift_points)

    @property
    def most_changed(self) -> int:
        """Limit of the tiles that change sides."""
        return int(stats.binom.isf(stats.norm.sf(DEVIATIONS), self.tiles, MOST_CHANGED))

    @property
    def holds(self) -> bool:
        """Whether the int8 network may replace the float one."""
        auc = abs(self.auc_float - self.auc_int8)
        return (
            (isnan(auc) or auc <= self.most_auc)
            # One changed tile a frame is just what chance gives: rounding must not decide.
            and self.mean_points <= self.most_points + 1e-9
            and abs(self.shift_points) <= self.most_shift_points
            and self.changed <= self.most_changed
        )

    def describe(self) -> str:
        """Return a phrase on how far the two differ, on average and at worst."""
        return (
            f"AUC {self.auc_int8:.4f} (float {self.auc_float:.4f}), efficiency of a frame"
            f" {self.mean_points:.2f} points apart on average, {self.worst_points:.2f} at worst,"
            f" {self.shift_points:+.2f} over all frames; {self.changed} of {self.tiles} tiles"
            " called otherwise"
        )

    def describe_limits(self) -> str:
        """Return a phrase on what is allowed for so many tiles and frames."""
        return (
            f"AUC within {self.most_auc:.2g}, efficiency of a frame within {self.most_points:.2g}"
            f" points on average and {self.most_shift_points:.2g} over all frames, at most"
            f" {self.most_changed} tiles called otherwise: limits for frames of about"
            f" {self.tiles / max(self.frames, 1):.0f} tiles, {self.frames} in all"
        )


def compare_scores(
    exact: Sequence[ScoredFrame], rounded: Sequence[ScoredFrame], threshold: float
) -> Agreement:
    """Compare float (`exact`) and int8 (`rounded`) probabilities of the same frames."""
    pairs = [(one.counted, two.counted[1]) for one, two in zip(exact, rounded, strict=True)]
    pairs = [(counted, int8) for counted, int8 in pairs if int8.size]
    sizes = np.array([int8.size for _, int8 in pairs])
    turned = [
        (int8 >= threshold).astype(np.int64) - (found >= threshold) for (_, found), int8 in pairs
    ]
    net = np.array([int(each.sum()) for each in turned])
    changed = np.array([np.count_nonzero(each) for each in turned])
    points = 100 * np.abs(net) / sizes
    expected, variance = np.transpose([_of_random_signs(int(count)) for count in changed])
    frames, tiles = len(pairs), int(sizes.sum())
    spread = sqrt(float(np.sum(variance / sizes**2)))
    truth, floats, int8s = (
        np.concatenate(list(each))
        for each in zip(*((labels, found, int8) for (labels, found), int8 in pairs), strict=True)
    )
    auc_float, auc_int8, auc_error = _paired_auc(truth, floats, int8s)
    return Agreement(
        frames=frames,
        tiles=tiles,
        changed=int(changed.sum()),
        auc_float=auc_float,
        auc_int8=auc_int8,
        auc_error=auc_error,
        mean_points=float(np.mean(points)),
        worst_points=float(points.max()),
        shift_points=100 * float(net.sum()) / tiles,
        chance_points=100 * (float(np.sum(expected / sizes)) + DEVIATIONS * spread) / frames,
        chance_shift_points=100 * DEVIATIONS * sqrt(float(changed.sum())) / tiles,
        worst_probability=float(np.abs(floats - int8s).max()),
    )


def _of_random_signs(count: int) -> tuple[float, float]:
    """Return mean and variance of the size of a sum of so many random signs.

    The sum is 2 B - count for B binomial of one half; its variance is `count`, and its mean size
    twice the mean deviation of B.
    """
    successes = np.arange(count + 1)
    sizes = np.abs(2 * successes - count)
    mean = float(np.sum(sizes * stats.binom.pmf(successes, count, 0.5)))
    return mean, count - mean**2


def _paired_auc(
    labels: NDArray[np.int8], exact: NDArray[np.float32], rounded: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Return both AUCs and the standard error of their difference; nan without both classes."""
    positive = labels == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return nan, nan, nan
    areas, above, below = [], [], []
    for scores in (exact, rounded):
        ranks = stats.rankdata(scores)
        # Share of the other class that lies on the right side of each tile, ties by half.
        above.append((ranks[positive] - stats.rankdata(scores[positive])) / zeros)
        below.append(1 - (ranks[~positive] - stats.rankdata(scores[~positive])) / ones)
        areas.append(float(above[-1].mean()))
    variance = (
        float(np.var(above[0] - above[1])) / ones + float(np.var(below[0] - below[1])) / zeros
    )
    return areas[0], areas[1], sqrt(variance)
