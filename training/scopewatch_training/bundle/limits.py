"""Quality and domain limits of a card, learnt from the frames it was trained on.

Each measure of `core.imaging.quality.measure` gets the interval that the training frames span,
widened by a tolerance in its own units: the day-to-day difference of runs of one culture on one
microscope. A few runs do not show how much further runs vary, so the tolerance is not fitted. The
distance of all texture measures together has a limit, too; see `distance`. The card holds the share
of frames that the limits of the other runs refuse.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final

from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch.core.imaging.quality import distance_to
from scopewatch_training.bundle.distance import learn_distance
from scopewatch_training.dataset.pairs.record import Pair

TOLERANCES: Final = {
    "contrast": log(2.0),
    "focus": log(1.5),
    "correlation_px": log(1.4),
    "structure": 0.12,
    "band_coarse": 0.12,
    "band_32px": 0.12,
    "band_16px": 0.12,
    "band_8px": 0.15,
    "band_4px": 0.05,
    "skewness": 1.2,
    "tails": 0.01,
    "entropy": 0.4,
}
"""How far a measure may lie beyond the training frames: as a logarithm for measures that vary by
factors, else in the measure's units."""
_BY_FACTORS: Final = frozenset({"contrast", "focus", "correlation_px"})
_SPREADS_IN_TOLERANCE: Final = 2.0
"""A tolerance counts as two standard deviations of the variation from day to day."""
Frames = Sequence[Mapping[str, float]]
Interval = tuple[float, float]


def learn_limits(pairs: Sequence[Pair]) -> QualityCard:
    """Learn the limits of the frames of training pairs.

    Returns
    -------
    The limits, with the share of frames that were refused when their run was left out; limits of
    a single run are learnt over its wells.
    """
    rate = round(_false_refusals(pairs), 4)
    return _learn(_group(pairs)).model_copy(update={"false_refusal_rate": rate})


def refuses(limits: QualityCard, frame: Mapping[str, float]) -> bool:
    """Whether learnt limits refuse a frame with these measures, fatal faults left out."""
    sides = {
        **limits.domain,
        "contrast": (limits.min_contrast, limits.max_contrast),
        "focus": (limits.min_focus, limits.max_focus),
    }
    for measure, (low, high) in sides.items():
        value = frame[measure]
        if (low is not None and value < low) or (high is not None and value > high):
            return True
    distance = limits.distance
    return distance is not None and distance_to(frame, distance)[0] > distance.limit


def _group(pairs: Sequence[Pair]) -> dict[str, list[Mapping[str, float]]]:
    """Measures of the frames of each run; of each well where there is one run only."""
    runs = {pair.run for pair in pairs}
    groups: dict[str, list[Mapping[str, float]]] = {}
    for pair in pairs:
        groups.setdefault(pair.run if len(runs) > 1 else pair.group, []).append(pair.measures)
    return groups


def _learn(groups: Mapping[str, Frames]) -> QualityCard:
    frames = [frame for members in groups.values() for frame in members]
    spans = _spans(frames)
    contrast, focus = spans.pop("contrast"), spans.pop("focus")
    return QualityCard(
        min_contrast=contrast[0],
        max_contrast=contrast[1],
        min_focus=focus[0],
        max_focus=focus[1],
        domain=spans,
        distance=learn_distance(groups, _spreads(frames)),
    )


def _false_refusals(pairs: Sequence[Pair]) -> float:
    """Share of frames that the limits of the other groups refuse, groups weighing alike.

    The limits of the others are learnt from them alone, their distance's limit included.
    """
    by_run = len({pair.run for pair in pairs}) > 1
    names = [pair.run if by_run else pair.group for pair in pairs]
    if len(set(names)) < 2:
        return 0.0
    shares = []
    for held in dict.fromkeys(names):
        frames = [pair.measures for pair, name in zip(pairs, names, strict=True) if name == held]
        # A single run that is left is learnt over its wells.
        others = [pair for pair, name in zip(pairs, names, strict=True) if name != held]
        limits = _learn(_group(others))
        shares.append(sum(refuses(limits, frame) for frame in frames) / len(frames))
    return sum(shares) / len(shares)


def _spreads(frames: Frames) -> dict[str, float]:
    """Day-to-day standard deviation of each texture measure, in its own units."""
    spreads = {}
    for measure, tolerance in TOLERANCES.items():
        if measure == "contrast":
            continue  # of the frame before it was normalised, no texture of the view
        middle = sum(frame[measure] for frame in frames) / len(frames)
        unit = middle if measure in _BY_FACTORS else 1.0
        spreads[measure] = max(tolerance * unit / _SPREADS_IN_TOLERANCE, 1e-6)
    return spreads


def _spans(frames: Frames) -> dict[str, Interval]:
    """Interval of each measure over frames, widened on both sides by its tolerance."""
    spans = {}
    for measure, tolerance in TOLERANCES.items():
        values = [frame[measure] for frame in frames]
        low, high = min(values), max(values)
        if measure in _BY_FACTORS:
            factor = exp(tolerance)
            spans[measure] = (_round(low / factor), _round(high * factor))
        else:
            spans[measure] = (_round(low - tolerance), _round(high + tolerance))
    return spans


def _round(value: float) -> float:
    return float(f"{value:.5g}")
