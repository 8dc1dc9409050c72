"""Finds runs whose fluorescence has an uneven background that the labels follow.

The least background of the fields of a run, by place, shows no cells where there are enough fields.
What is left of it after a smooth surface was taken off, against the threshold, is what makes tiles
positive by their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.checks.measures import SWAPPED_BELOW
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.background import PLACES, Profile, lowest
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.settings import BinariseSettings

MOST_LEFT: Final = 0.5
"""Limit of the range of the background that is left, in thresholds of the run."""
MOST_RAW: Final = 2.5
"""Limit of the range of the background of the pictures, in thresholds of the run."""
FEWEST: Final = 5
"""Pairs from which on cells do not count as background at the same place of all."""
_MANY: Final = 8
"""Pairs from which on single places count; of fewer, quarters of the field's sides."""
_TAILS: Final = (7, 93)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unevenness:
    """How uneven the background of a group of pairs is.

    Parameters
    ----------
    pairs
        Number of pairs.
    threshold
        Their median threshold, in counts.
    left, raw
        Range over the field of what is left of the background, and of the background of the
        pictures, in thresholds.
    bright, dark
        Where the background is highest and lowest, in words.
    """

    pairs: int
    threshold: float
    left: float
    raw: float
    bright: str
    dark: str

    @property
    def counts(self) -> bool:
        """Whether labels follow it."""
        return self.left >= MOST_LEFT or self.raw >= MOST_RAW


def find_uneven_background(pairs: Sequence[Pair], binarise: BinariseSettings) -> list[Doubt]:
    """Return a doubt for each run whose labels follow an uneven background."""
    try:
        cuts = fit_thresholds(pairs, binarise).per_pair(pairs)
    except ConfigError:
        # Controls that are missing are reported by the fit, which may be given others.
        return []
    return [
        _doubt(run, found) for run, found in measure_unevenness(pairs, cuts).items() if found.counts
    ]


def measure_unevenness(pairs: Sequence[Pair], cuts: Mapping[str, float]) -> dict[str, Unevenness]:
    """Return how uneven the background of each run is that can be judged.

    Runs of fewer than five pairs are judged together, as of one microscope. Masks, pairs whose
    threshold is infinite, and pairs whose pictures seem to be swapped do not count.

    Parameters
    ----------
    cuts
        Threshold of pairs by their id, in counts.
    """
    judged = [pair for pair in pairs if pair.background.left and _is_judged(pair, cuts)]
    found: dict[str, Unevenness] = {}
    small: dict[str, tuple[Pair, ...]] = {}
    for run, members in group_by_run(judged).items():
        if len(members) < FEWEST:
            small[run] = members
        else:
            found[run] = _measure(members, cuts, [pair.id for pair in members])
    together = [pair for members in small.values() for pair in members]
    if len(together) >= FEWEST:
        shared = _measure(together, cuts, [pair.run for pair in together])
        found |= dict.fromkeys(small, shared)
    return found


def _is_judged(pair: Pair, cuts: Mapping[str, float]) -> bool:
    swapped = pair.role_score is not None and pair.role_score < SWAPPED_BELOW
    return 0 < cuts.get(pair.id, 0) < inf and not swapped


def _measure(pairs: Sequence[Pair], cuts: Mapping[str, float], parts: Sequence[str]) -> Unevenness:
    """Measure pairs; what shows only with one part of them, each a pair or a run, is not light."""
    thresholds = np.array([cuts[pair.id] for pair in pairs])
    left, raw = (
        _least_uneven(np.array(each) / thresholds[:, None], np.array(parts))
        for each in zip(
            *((pair.background.left, pair.background.raw) for pair in pairs), strict=True
        )
    )
    ranges = [_range(each, len(pairs)) for each in (left, raw)]
    shown = left if ranges[0] >= MOST_LEFT else raw
    return Unevenness(
        pairs=len(pairs),
        threshold=float(np.median(thresholds)),
        left=ranges[0],
        raw=ranges[1],
        bright=_name_place(int(np.argmax(shown)), shown.shape[0]),
        dark=_name_place(int(np.argmin(shown)), shown.shape[0]),
    )


def _least_uneven(backgrounds: NDArray[np.float64], parts: NDArray[np.str_]) -> Profile:
    """Return the profile of all fields, or of all but one part, whichever has the least range."""
    count = len(backgrounds)
    kept = [parts != each for each in np.unique(parts)]
    groups = [backgrounds, *(backgrounds[each] for each in kept if each.any())]
    profiles = [_smoothed(lowest(each), count) for each in groups]
    return min(profiles, key=lambda profile: _range(profile, count))


def _smoothed(profile: Profile, pairs: int) -> Profile:
    if pairs >= _MANY:
        return np.asarray(ndimage.median_filter(profile, 3, mode="nearest"))
    half = PLACES // 2
    return np.asarray(profile.reshape(half, 2, half, 2).min(axis=(1, 3)))


def _range(profile: NDArray[np.float64], pairs: int) -> float:
    if pairs >= _MANY:
        return float(np.ptp(profile))
    low, high = np.percentile(profile, _TAILS)
    return float(high - low)


def _name_place(index: int, side: int) -> str:
    """Name a place of a field of side x side places: `upper left`, `right`, `middle`."""
    row, col = (min(3 * each // side, 2) for each in divmod(index, side))
    words = (("upper", "", "lower")[row], ("left", "", "right")[col])
    return " ".join(each for each in words if each) or "middle"


def _doubt(run: str, found: Unevenness) -> Doubt:
    by_rest = found.left >= MOST_LEFT
    share, most = (found.left, MOST_LEFT) if by_rest else (found.raw, MOST_RAW)
    stage = "is left" if by_rest else "the pictures have"
    counts, limit = (each * found.threshold for each in (share, most))
    return Doubt(
        kind=DoubtKind.UNEVEN,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"{counts:.0f} counts more background that {stage} at the {found.bright} than at"
        f" the {found.dark}, alike in {found.pairs} pairs; a pixel is positive from"
        f" {found.threshold:.0f} on",
        expected=f"below {limit:.0f} counts",
        do="labels follow the place: divide the fluorescence by a picture of an even dye, both less"
        " the dark picture of the camera, or keep stray light out, and prepare again",
    )
