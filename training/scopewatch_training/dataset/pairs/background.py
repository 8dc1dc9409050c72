"""Background of a fluorescence picture by place in the field, before and after it is taken off.

A lamp that lights one side, vignetting and stray light give all fields of a run the same uneven
background. Cells lie elsewhere in each field: the least of many fields at a place is background.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.planes.filters import block_means

Plane = NDArray[np.float32]
Profile = NDArray[np.float64]

PLACES: Final = 8
"""Places along each side of a field."""
_BLOCKS: Final = 32
"""Blocks along the shorter side, whose means are taken first."""
_DIM_SHARE: Final = 0.2
"""Share of a place's blocks that is darker than what counts as its background."""
_BRIGHT_SHARE: Final = 0.9
"""Share of a place's blocks that is darker than what counts as its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Background at 8 x 8 places of a field, in counts, row by row.

    Parameters
    ----------
    raw
        Of the picture.
    left
        After a smooth surface was taken off; empty as `raw` for masks, and for pairs of data sets
        that earlier versions prepared.
    bright
        Bright blocks of the signal at each place: cells, where there are some; empty likewise.
    """

    raw: tuple[float, ...] = ()
    left: tuple[float, ...] = ()
    bright: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Background":
        """Read what `dataclasses.asdict` gave."""
        return cls(**{name: tuple(each) for name, each in values.items()})


def measure_background(plane: Plane, signal: Plane) -> Background:
    """Measure the background of a (H, W) picture of at least 32 px, and of its signal."""
    raw, of_signal = (_ordered_means(each) for each in (plane, signal))
    return Background(
        raw=_at_share(raw, _DIM_SHARE),
        left=_at_share(of_signal, _DIM_SHARE),
        bright=_at_share(of_signal, _BRIGHT_SHARE),
    )


def lowest(backgrounds: NDArray[np.float64]) -> Profile:
    """Return the least background of several fields, (fields, 64), at each place: (8, 8)."""
    return np.asarray(backgrounds.min(axis=0)).reshape(PLACES, PLACES)


def _ordered_means(plane: Plane) -> Plane:
    """Return the means of the blocks of each place, (64, blocks), ordered."""
    means = block_means(plane, max(min(plane.shape) // _BLOCKS, 1))
    rows, cols = (side // PLACES for side in means.shape)
    parts = means[: rows * PLACES, : cols * PLACES].reshape(PLACES, rows, PLACES, cols)
    return np.sort(parts.transpose(0, 2, 1, 3).reshape(PLACES**2, rows * cols), axis=1)


def _at_share(ordered: Plane, share: float) -> tuple[float, ...]:
    return tuple(round(float(each), 1) for each in ordered[:, int(share * ordered.shape[1])])
