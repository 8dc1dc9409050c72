"""Compares the pixel size of a frame with the model's, and resamples the frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.errors import complaint
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.model_card.card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePlan:
    """What to do with a frame's scale.

    Parameters
    ----------
    resample_by
        Factor by which the frame's sides change; 1.0 leaves the frame as it is.
    checked
        False when the pixel size of the frame or the card is unknown: the frame is then
        scored as it is, and every result records that the scale was not checked.
    refusal
        The line for the operator when the scale is out of reach; else empty.
    """

    resample_by: float
    checked: bool
    refusal: str = ""


def plan_scale(pixel_size_um: float | None, card: ModelCard) -> ScalePlan:
    """Compare a frame's pixel size with the card's.

    Within `scale_tolerance` the frame stays as it is. Within a factor of `max_resample` either
    way it is to be resampled. Beyond that it is refused: detail that a camera did not record
    cannot be made up, and cells of another size are none the model knows.
    """
    if pixel_size_um is None or card.um_per_px is None:
        return ScalePlan(resample_by=1.0, checked=False)
    factor = pixel_size_um / card.um_per_px
    limits = card.quality
    if abs(factor - 1) <= limits.scale_tolerance:
        return ScalePlan(resample_by=1.0, checked=True)
    if 1 / limits.max_resample <= factor <= limits.max_resample:
        return ScalePlan(resample_by=factor, checked=True)
    low, high = card.um_per_px / limits.max_resample, card.um_per_px * limits.max_resample
    line = complaint(
        "frame is at the wrong scale",
        where=f"model {card.name}",
        expected=f"{low:.4g} to {high:.4g} um/px",
        got=f"{pixel_size_um:.4g} um/px",
        do="use the objective the model was trained with, or correct the pixel size calibration",
    )
    return ScalePlan(resample_by=1.0, checked=True, refusal=line)


def resampled_shape(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return (H, W) of a frame of `shape` after resampling by `factor`, at least one pixel."""
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def resample(pixels: Pixels, factor: float) -> NDArray[np.float32]:
    """Resample a frame by cubic convolution.

    When the frame shrinks the kernel is widened by the same factor, so that detail finer than
    the new pixels is averaged away and not folded into false structure (anti-aliasing).

    Parameters
    ----------
    pixels
        (H, W) camera counts.
    factor
        New side over old side.

    Returns
    -------
    (round(H * factor), round(W * factor)) float32 camera counts within the range of `pixels`,
    since the kernel's overshoot at edges is clipped.
    """
    height, width = resampled_shape((pixels.shape[0], pixels.shape[1]), factor)
    image = Image.fromarray(pixels.astype(np.float32))
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    counts = np.array(resized, dtype=np.float32)
    return np.clip(counts, float(pixels.min()), float(pixels.max()), out=counts)
