"""What a model knows and does not know of wells or frames that have no stain yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.model_card.limits import DistanceLimit
from scopewatch.core.imaging.quality import distance_to

MOST_UNLIKE: Final = 2.0
"""Beyond twice the limit a frame is not taken to teach more: it may be of no use at all."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A well at a time point, or one of its frames where `site` is given."""

    run: str
    plate: str
    well: str
    time_point: int
    day: float
    site: int | None = None

    def __str__(self) -> str:
        name = f"{self.run}/{self.plate}/{self.well}"
        return name if self.site is None else f"{name}/s{self.site}/t{self.time_point:04d}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameLook:
    """What a model makes of one frame.

    Parameters
    ----------
    efficiency
        Share of the valid tiles that are called positive, 0 to 1.
    doubt
        Share of the valid tiles that are called wrong, as expected from their probabilities.
    disagreement
        Mean difference of the tiles' probabilities between bundles, 0 to 1; 0 with one bundle.
    measures
        `core.imaging.quality.measure` of the frame.
    """

    efficiency: float
    doubt: float
    disagreement: float
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A well or a frame that could be stained.

    Parameters
    ----------
    doubt, disagreement
        As of `FrameLook`; disagreement is that of bundles or of sites, whichever is larger.
    unlike
        Distance from the training frames as a share of the card's limit; None where the card
        has none.
    most_unlike
        The measure that contributes most to the distance; empty where there is none.
    features
        Where it lies among others: a distance of 1 is far.
    """

    place: Place
    efficiency: float
    doubt: float
    disagreement: float
    sites_differ: bool
    unlike: float | None
    most_unlike: str
    features: Array

    @property
    def gain(self) -> float:
        """Expected gain, 0 to about 3: what is in doubt, more where the model is on new ground.

        The probabilities are calibrated on frames like those of the training. The farther a
        frame is from them, the less its doubt says, which is why unlikeness multiplies it.
        """
        farther = 0.0 if self.unlike is None else min(self.unlike, MOST_UNLIKE)
        return (self.doubt + self.disagreement) * (1 + farther)


def look_at(
    probability: NDArray[np.floating],
    valid: NDArray[np.bool_],
    threshold: float,
    measures: Mapping[str, float],
    others: Sequence[NDArray[np.floating]] = (),
) -> FrameLook | None:
    """Judge the tile scores of a frame; None where no tile is valid.

    Parameters
    ----------
    probability
        (rows, cols) calibrated, 0 to 1.
    others
        Probabilities of the same tiles by other bundles.
    """
    if not valid.any():
        return None
    score = np.asarray(probability, dtype=np.float64)[valid]
    called = score >= threshold
    apart = [float(np.mean(np.abs(score - np.asarray(each)[valid]))) for each in others]
    return FrameLook(
        efficiency=float(called.mean()),
        doubt=float(np.where(called, 1 - score, score).mean()),
        disagreement=max(apart, default=0.0),
        measures=measures,
    )


def gather(
    looks: Mapping[Place, Sequence[FrameLook]], limit: DistanceLimit | None
) -> list[Candidate]:
    """Make candidates of the frames of each place.

    Parameters
    ----------
    limit
        The card's distance from the training frames; None where it has none.
    """
    candidates = []
    for place, frames in looks.items():
        efficiencies = [each.efficiency for each in frames]
        spread = float(np.std(efficiencies)) if len(frames) > 1 else 0.0
        disagreement = float(np.mean([each.disagreement for each in frames]))
        measures = {
            name: float(np.mean([each.measures[name] for each in frames]))
            for name in frames[0].measures
        }
        unlike, most = (None, "") if limit is None else distance_to(measures, limit)
        candidates.append(
            Candidate(
                place=place,
                efficiency=float(np.mean(efficiencies)),
                doubt=float(np.mean([each.doubt for each in frames])),
                disagreement=max(spread, disagreement),
                sites_differ=spread > disagreement,
                unlike=None if limit is None or unlike is None else unlike / limit.limit,
                most_unlike=most,
                features=_features(measures, float(np.mean(efficiencies)), limit),
            )
        )
    return candidates


def _features(
    measures: Mapping[str, float], efficiency: float, limit: DistanceLimit | None
) -> Array:
    """Texture in units of the card's limit, and efficiency in quarters.

    The Euclidean distance of two frames' textures is then their Mahalanobis distance.
    """
    if limit is None:
        return np.array([4 * efficiency])
    offset = np.array([measures[name] for name in limit.measures]) - np.array(limit.mean)
    root = np.linalg.cholesky(np.array(limit.precision) + 1e-9 * np.eye(len(offset)))
    return np.concatenate([offset @ root / limit.limit, [4 * efficiency]])
