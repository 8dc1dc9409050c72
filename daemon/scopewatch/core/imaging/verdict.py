"""Decides whether a frame can be judged; if not, the verdict gives the fault and its reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.limits import DistanceLimit, QualityCard
from scopewatch.core.imaging.quality import distance_to, measure
from scopewatch.core.imaging.result import Verdict
from scopewatch.core.imaging.scale import plan_scale

MAX_SIDE_PX: Final = 8192
MIN_TILES: Final = 2
MIN_STRUCTURE: Final = 0.05
_OTHER_FRAMES: Final = "check objective, phase ring and culture, or train a model on such frames"


def judge(
    pixels: Pixels, view: NDArray[np.float32], card: ModelCard, pixel_size_um: float | None
) -> Verdict:
    """Decide whether a frame is fit for a model.

    Blank, noise-only and saturated frames are always refused. The other limits are the card's;
    those that are None are not applied. The first fault in the order of the checks is given:
    shape, scale, saturated, blank, focus, domain measure by measure, domain by distance. Where
    the card limits the distance it is recorded as measure ``distance``.

    Parameters
    ----------
    pixels, view
        As for `measure`.
    pixel_size_um
        Of `pixels`; None where unknown, which is recorded as measure ``scale_checked`` = 0.

    Raises
    ------
    ModelError
        When the card limits a measure that does not exist.
    """
    shape_line = refuse_shape((view.shape[0], view.shape[1]), card.tile_px)
    if shape_line:
        return Verdict(fault=Fault.WRONG_SHAPE, reason=shape_line, measures={})
    plan = plan_scale(pixel_size_um, card)
    scale = {"scale_checked": float(plan.checked), "resampled_by": plan.resample_by}
    if plan.refusal:
        return Verdict(fault=Fault.WRONG_SCALE, reason=plan.refusal, measures=scale)
    measures = measure(pixels, view)
    _refuse_unknown_limits(card, measures)
    where = f"{pixels.shape[0]} x {pixels.shape[1]} px frame"
    fault, reason = _first_fault(measures, card.quality, where)
    distance = card.quality.distance
    if distance is not None:
        far, most = distance_to(measures, distance)
        measures["distance"] = far
        if fault is None and far > distance.limit:
            fault, reason = Fault.OUT_OF_DOMAIN, _far_line(measures, most, distance, where)
    return Verdict(fault=fault, reason=reason, measures=measures | scale)


def refuse_shape(shape: tuple[int, int], tile_px: int) -> str:
    """Return why a (H, W) frame cannot be tiled, in one line; empty when it can.

    A frame needs 2 x 2 whole tiles: below that a single tile decides its efficiency.
    """
    smallest = MIN_TILES * tile_px
    if smallest <= min(shape) and max(shape) <= MAX_SIDE_PX:
        return ""
    return complaint(
        "frame has the wrong size",
        where=f"tiles of {tile_px} px",
        expected=f"{smallest} to {MAX_SIDE_PX} px a side",
        got=f"{shape[0]} x {shape[1]} px",
        do="export whole camera frames, not crops or stitched mosaics",
    )


def _refuse_unknown_limits(card: ModelCard, measures: dict[str, float]) -> None:
    named = set(card.quality.domain)
    if card.quality.distance is not None:
        named |= set(card.quality.distance.measures)
    unknown = sorted(named - set(measures))
    if unknown:
        raise ModelError(
            complaint(
                "card limits measures that do not exist",
                where=f"card.yaml of {card.name}, quality",
                expected=", ".join(sorted(measures)),
                got=", ".join(unknown),
                do="write the card with this version's scopewatch-train",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """Limits of one measure; one that is None is not applied."""

    fault: Fault
    problem: str
    measure: str
    low: float | None = None
    high: float | None = None
    do: str

    def fails(self, value: float) -> bool:
        too_low = self.low is not None and value < self.low
        return too_low or (self.high is not None and value > self.high)

    @property
    def expected(self) -> str:
        if self.low is None:
            return f"{self.measure} <= {self.high:.4g}"
        if self.high is None:
            return f"{self.measure} >= {self.low:.4g}"
        return f"{self.measure} {self.low:.4g} to {self.high:.4g}"


def _checks(limits: QualityCard) -> Iterator[_Check]:
    """Yield the checks in their order."""
    yield _Check(
        fault=Fault.SATURATED,
        problem="frame is saturated",
        measure="saturated",
        high=limits.max_saturated,
        do="lower the exposure or the lamp",
    )
    yield _Check(
        fault=Fault.BLANK,
        problem="frame is blank, all pixels are equal",
        measure="blank",
        high=0.0,
        do="check the lamp, the shutter and the camera",
    )
    yield _Check(
        fault=Fault.BLANK,
        problem="frame holds nothing but noise",
        measure="structure",
        low=MIN_STRUCTURE,
        do="check the lamp and the shutter, and that the field holds cells",
    )
    yield _Check(
        fault=Fault.BLANK,
        problem="frame has too little contrast",
        measure="contrast",
        low=limits.min_contrast,
        do="check the lamp, the phase ring and that the field holds cells",
    )
    yield _Check(
        fault=Fault.OUT_OF_FOCUS,
        problem="frame is out of focus",
        measure="focus",
        low=limits.min_focus,
        do="refocus, or check the autofocus of this well",
    )
    domain = (
        ("contrast", (None, limits.max_contrast)),
        ("focus", (None, limits.max_focus)),
        *limits.domain.items(),
    )
    for name, (low, high) in domain:
        yield _Check(
            fault=Fault.OUT_OF_DOMAIN,
            problem=f"frame looks unlike the training frames in its {name}",
            measure=name,
            low=low,
            high=high,
            do=_OTHER_FRAMES,
        )


def _first_fault(
    measures: Mapping[str, float], limits: QualityCard, where: str
) -> tuple[Fault | None, str]:
    for check in _checks(limits):
        value = measures[check.measure]
        if check.fails(value):
            line = complaint(
                check.problem,
                where=where,
                expected=check.expected,
                got=f"{value:.4g}",
                do=check.do,
            )
            return check.fault, line
    return None, ""


def _far_line(measures: Mapping[str, float], most: str, distance: DistanceLimit, where: str) -> str:
    """Return the line that a frame is too far from the training frames, with the main measure."""
    usual = distance.mean[distance.measures.index(most)]
    return complaint(
        "frame looks unlike the training frames in all its measures together,"
        f" most in its {most} ({measures[most]:.4g} where {usual:.4g} is usual)",
        where=where,
        expected=f"distance <= {distance.limit:.4g}",
        got=f"{measures['distance']:.4g}",
        do=_OTHER_FRAMES,
    )
