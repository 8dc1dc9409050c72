"""Decides whether a frame can be judged; if not, the verdict gives the fault and its reason."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.model_card import DistanceLimit, ModelCard, QualityCard
from scopewatch.core.imaging.planes.background import coarse_background
from scopewatch.core.imaging.planes.spread import USUAL_SHARE, half_distance, sample_step
from scopewatch.core.imaging.planes.texture import describe
from scopewatch.core.imaging.result import Verdict
from scopewatch.core.imaging.scale import plan_scale
from scopewatch.core.imaging.tiling import TileGrid

MAX_SIDE_PX: Final = 8192
MIN_TILES: Final = 2
# Cameras of 10, 12 and 14 bits, whose counts fill the low or the high bits of 16.
FULL_SCALES: Final = frozenset({255, 1023, 4095, 16383, 65535, 65472, 65520, 65532})
MIN_STRUCTURE: Final = 0.05
BACKGROUND_PX: Final = 64.0
SAMPLE_SIDE_PX: Final = 512
_OTHER_FRAMES: Final = "check objective, phase ring and culture, or train a model on such frames"


def measure(pixels: Pixels, view: NDArray[np.float32]) -> dict[str, float]:
    """Measure a frame: cheap numbers that quality limits and domain checks are set on.

    Parameters
    ----------
    pixels
        (H, W) camera counts.
    view
        (H', W') float32, the frame normalised at the model's scale.

    Returns
    -------
    dict
        The measures of `core.imaging.planes.texture.describe`, and

        - ``contrast``: robust spread as a share of the background, before normalising.
        - ``saturated``: share of pixels at the camera's ceiling, see `saturated_fraction`.
        - ``blank``: 1 when all pixels are equal, else 0.
    """
    top, bottom = int(pixels.max()), int(pixels.min())
    return {
        "contrast": _contrast(pixels, view),
        "saturated": _saturated(pixels, top, bottom),
        "blank": float(top == bottom),
        **describe(view),
    }


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


def distance_to(measures: Mapping[str, float], limit: DistanceLimit) -> tuple[float, str]:
    """Return the distance of a frame's measures, and the measure that contributes most to it."""
    offset = np.array([measures[name] for name in limit.measures]) - np.array(limit.mean)
    shares = offset * (np.array(limit.precision) @ offset)
    return float(np.sqrt(max(shares.sum(), 0.0))), limit.measures[int(np.argmax(shares))]


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


def saturated_fraction(pixels: Pixels) -> float:
    """Share of pixels at the camera's ceiling, 0 to 1.

    The ceiling is the frame's highest value when that is the full scale of an 8-, 10-, 12-, 14-
    or 16-bit camera, or when pixels pile up at it: more than a thousandth of them, and more than
    in the whole next 2 % of the range below. A ceiling other than full scale is what software
    leaves that subtracts an offset or rescales.
    """
    return _saturated(pixels, int(pixels.max()), int(pixels.min()))


def _saturated(pixels: Pixels, top: int, bottom: int) -> float:
    at_top = int(np.count_nonzero(pixels == top))
    if top in FULL_SCALES:
        return at_top / pixels.size
    if at_top <= 1e-3 * pixels.size or top == bottom:
        return 0.0
    shoulder = top - max(2, (top - bottom) // 50)
    below = int(np.count_nonzero(pixels >= shoulder)) - at_top
    return at_top / pixels.size if at_top > below else 0.0


def fit_tiles(pixels: Pixels, grid: TileGrid) -> NDArray[np.bool_]:
    """Return which tiles hold an image at all: (rows, cols) bool.

    False where every pixel of a tile is 0 (the black border of a mosaic or of a round field) or
    every pixel is at the frame's ceiling (a bubble, a reflection). Such a tile shows nothing,
    so it must not count as a negative one.

    Parameters
    ----------
    pixels
        (H, W) camera counts. Their size may differ from the grid's where the frame was
        resampled; tiles are then looked up in proportion.
    """
    rows, cols = (
        (np.arange(count) * grid.tile_px * side // length).astype(np.intp)
        for count, side, length in zip(
            grid.shape, pixels.shape, (grid.height, grid.width), strict=True
        )
    )
    ceiling = int(pixels.max())
    full = ceiling in FULL_SCALES
    # By two pixels of each tile most frames are seen to have none without an image.
    corners, middles = (
        pixels[np.ix_(*places)] for places in ((rows, cols), _middles(pixels, rows, cols))
    )
    if not ((corners == middles) & ((corners == 0) | ((corners == ceiling) & full))).any():
        return np.ones(grid.shape, dtype=bool)
    # Band by band: numpy's reduceat over the long axis of a frame takes ten times as long.
    bands = np.split(pixels, rows[1:])
    highest = np.maximum.reduceat(np.stack([band.max(axis=0) for band in bands]), cols, axis=1)
    lowest = np.minimum.reduceat(np.stack([band.min(axis=0) for band in bands]), cols, axis=1)
    white = (lowest == ceiling) & full
    return np.asarray((highest > 0) & ~white, dtype=bool)


def _middles(
    pixels: Pixels, rows: NDArray[np.intp], cols: NDArray[np.intp]
) -> tuple[NDArray[np.intp], ...]:
    """Return the middle row and column of each tile that begins there."""
    return tuple(
        (starts + np.append(starts[1:], side)) // 2
        for starts, side in zip((rows, cols), pixels.shape, strict=True)
    )


def _contrast(pixels: Pixels, view: NDArray[np.float32]) -> float:
    """Robust spread over a smooth background, on every n-th pixel; 0 for a black frame.

    The background is as wide as at the model's scale whatever the camera's scale.
    """
    step = max(1, max(pixels.shape) // SAMPLE_SIDE_PX)
    sample = pixels[::step, ::step].astype(np.float32)
    mean = float(sample.mean())
    if mean <= 0:
        return 0.0
    sigma_px = BACKGROUND_PX * pixels.shape[0] / view.shape[0] / step
    smooth = coarse_background(sample, max(sigma_px, 1.0))
    # The spread needs fewer pixels than the background.
    fewer = sample_step(sample.size)
    background = smooth.every(fewer)
    np.maximum(background, np.float32(mean * 1e-3), out=background)
    return half_distance((sample[::fewer, ::fewer] - background) / background, USUAL_SHARE)


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


def _first_fault(
    measures: dict[str, float], limits: QualityCard, where: str
) -> tuple[Fault | None, str]:
    checks = (
        (
            Fault.SATURATED,
            "frame is saturated",
            "saturated",
            (None, limits.max_saturated),
            "lower the exposure or the lamp",
        ),
        (
            Fault.BLANK,
            "frame is blank, all pixels are equal",
            "blank",
            (None, 0.0),
            "check the lamp, the shutter and the camera",
        ),
        (
            Fault.BLANK,
            "frame holds nothing but noise",
            "structure",
            (MIN_STRUCTURE, None),
            "check the lamp and the shutter, and that the field holds cells",
        ),
        (
            Fault.BLANK,
            "frame has too little contrast",
            "contrast",
            (limits.min_contrast, None),
            "check the lamp, the phase ring and that the field holds cells",
        ),
        (
            Fault.OUT_OF_FOCUS,
            "frame is out of focus",
            "focus",
            (limits.min_focus, None),
            "refocus, or check the autofocus of this well",
        ),
        *(
            (
                Fault.OUT_OF_DOMAIN,
                f"frame looks unlike the training frames in its {name}",
                name,
                interval,
                _OTHER_FRAMES,
            )
            for name, interval in (
                ("contrast", (None, limits.max_contrast)),
                ("focus", (None, limits.max_focus)),
                *limits.domain.items(),
            )
        ),
    )
    for fault, what, name, (low, high), advice in checks:
        value = measures[name]
        if (low is not None and value < low) or (high is not None and value > high):
            line = complaint(
                what, where=where, expected=_span(name, low, high), got=f"{value:.4g}", do=advice
            )
            return fault, line
    return None, ""


def _span(name: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{name} <= {high:.4g}"
    return f"{name} >= {low:.4g}" if high is None else f"{name} {low:.4g} to {high:.4g}"


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
