"""Finds runs whose cells are darker towards one side of the field: light that falls off.

The background is taken off smoothly, however uneven it is, and dark cells stay: a threshold leaves
them out. Where cells cover the fields, their brightness by place, over several fields, shows light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch_training.dataset.checks.measures import SWAPPED_BELOW
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.pairs.background import PLACES
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pairs.signal import FAINT_SIGMAS

MOST_FALL: Final = 2.5
"""Largest ratio of the brightness of cells at one corner to that at the opposite one.

Clean draws of simulated runs have at most 1.7, where light falls to a tenth at least 2.8.
"""
LEAST_EXPLAINED: Final = 0.3
"""Share of the variance between places that a fall in one direction must explain."""
_FEWEST: Final = 3
_LEAST_COVERED: Final = 0.75
_LEAST_SHARE: Final = 0.05
"""Brightness of a place with cells, as a share of that of the field's brightest places."""
_TOP: Final = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How the brightness of cells falls over the fields of a run.

    Parameters
    ----------
    pairs
        Number of pairs whose fields are covered with cells.
    ratio
        Brightness at the brightest corner over that at the darkest.
    explained
        Share of the variance between places that the fall explains.
    dark
        Side that is dark, in words.
    """

    pairs: int
    ratio: float
    explained: float
    dark: str

    @property
    def counts(self) -> bool:
        """Whether labels follow it."""
        return self.ratio >= MOST_FALL and self.explained >= LEAST_EXPLAINED


def find_falling_light(pairs: Sequence[Pair]) -> list[Doubt]:
    """Return a doubt for each run whose cells are much darker towards one side."""
    return [
        _doubt(run, found)
        for run, members in group_by_run(pairs).items()
        if (found := measure_fall(members)) is not None and found.counts
    ]


def measure_fall(pairs: Sequence[Pair]) -> Fall | None:
    """Fit a fall in one direction to the logarithm of cells' brightness, by place.

    None where fewer than three fields have cells at three quarters of their places.
    """
    profiles = [each for pair in pairs if (each := _profile(pair)) is not None]
    if len(profiles) < _FEWEST:
        return None
    together = np.array(profiles)
    seen = np.isfinite(together).any(axis=0)
    brightness = np.nanmedian(together[:, seen], axis=0)
    places = np.stack(np.divmod(np.flatnonzero(seen), PLACES), axis=1)
    down, across = (places / (PLACES - 1) - 0.5).T
    design = np.stack([down, across, np.ones(down.size)], axis=1)
    slopes, *_ = np.linalg.lstsq(design, brightness, rcond=None)
    left = brightness - design @ slopes
    return Fall(
        pairs=len(profiles),
        ratio=exp(float(np.abs(slopes[:2]).sum())),
        explained=1 - float(left.var()) / max(float(brightness.var()), 1e-9),
        dark=_name_side(float(slopes[0]), float(slopes[1])),
    )


def _profile(pair: Pair) -> NDArray[np.float64] | None:
    """Return the logarithm of cells' brightness by place, its median 0, nan without cells."""
    swapped = pair.role_score is not None and pair.role_score < SWAPPED_BELOW
    if not pair.background.bright or swapped:
        return None
    bright = np.array(pair.background.bright)
    floor = max(FAINT_SIGMAS * pair.noise, _LEAST_SHARE * float(np.percentile(bright, _TOP)))
    cells = bright > floor
    if cells.mean() < _LEAST_COVERED:
        return None
    profile = np.where(cells, np.log(np.maximum(bright, floor)), np.nan)
    return np.asarray(profile - np.nanmedian(profile))


def _name_side(down: float, across: float) -> str:
    """Name the side towards which brightness falls: `left`, `lower right`."""
    steep = max(abs(down), abs(across)) * log(2)
    words = (
        ("upper" if down > 0 else "lower") if abs(down) > steep else "",
        ("left" if across > 0 else "right") if abs(across) > steep else "",
    )
    return " ".join(each for each in words if each)


def _doubt(run: str, found: Fall) -> Doubt:
    return Doubt(
        kind=DoubtKind.FALLING,
        weight=Weight.LOOK,
        run=run,
        pair=None,
        measured=f"cells {found.ratio:.1f} times as bright at the other end as at the {found.dark},"
        f" alike in {found.pairs} pairs",
        expected=f"less than {MOST_FALL:g} times",
        do="labels follow the place: divide the fluorescence by a picture of an even dye, both less"
        " the dark picture of the camera, or centre the lamp, and prepare again",
    )
