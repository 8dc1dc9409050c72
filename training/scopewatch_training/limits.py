"""Quality and domain limits of a card, learnt from the frames it was trained on.

Each measure of `core.quality.measure` gets the interval that the training frames span, widened
by a tolerance in its own units: what runs of one culture on one microscope differ by from day to
day. The limits of a few runs cannot tell how much further runs will vary, so the tolerance is not
fitted; how often a run would be refused by the limits of the others is measured and stands on the
card.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final

from scopewatch.core.card import QualityCard
from scopewatch_training.dataset import Pair

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
Interval = tuple[float, float]


def learn_limits(pairs: Sequence[Pair]) -> QualityCard:
    """Learn the limits of the frames of training pairs.

    Returns
    -------
    The limits, with the share of frames that were refused when their run was left out; limits of
    a single run are learnt over its wells.
    """
    runs = {pair.run for pair in pairs}
    groups: dict[str, list[Mapping[str, float]]] = {}
    for pair in pairs:
        groups.setdefault(pair.run if len(runs) > 1 else pair.group, []).append(pair.measures)
    spans = _spans([frame for frames in groups.values() for frame in frames])
    contrast, focus = spans.pop("contrast"), spans.pop("focus")
    return QualityCard(
        min_contrast=contrast[0],
        max_contrast=contrast[1],
        min_focus=focus[0],
        max_focus=focus[1],
        domain=spans,
        false_refusal_rate=round(_false_refusals(groups), 4),
    )


def _false_refusals(groups: Mapping[str, Sequence[Mapping[str, float]]]) -> float:
    """Share of frames outside the limits of the other groups, groups weighing alike."""
    if len(groups) < 2:
        return 0.0
    shares = []
    for name, frames in groups.items():
        others = [frame for other, members in groups.items() if other != name for frame in members]
        spans = _spans(others)
        refused = sum(
            any(not low <= frame[measure] <= high for measure, (low, high) in spans.items())
            for frame in frames
        )
        shares.append(refused / len(frames))
    return sum(shares) / len(shares)


def _spans(frames: Sequence[Mapping[str, float]]) -> dict[str, Interval]:
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
