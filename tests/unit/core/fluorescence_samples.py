"""Fluorescence frames and cards that say how to binarise them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.card import ModelCard
from tests.unit.core.samples import make_card

RECIPE: dict[str, Any] = {
    "method": "otsu",
    "scope": "per-run",
    "knee_sigmas": 30.0,
    "mad_k": 20.0,
    "fixed_counts": None,
    "controls": [],
    "control_quantile": 0.999,
    "floor_sigmas": 5.0,
    "min_snr": 8.0,
    "pooled_counts": None,
    "ambiguous_band": 0.0,
    "max_unknown": 0.25,
    "smooth_px": 1.0,
}


def marker_card(*, area_cutoff: float = 0.5, **recipe: Any) -> ModelCard:
    """Return a card whose labels come with their recipe; `recipe` replaces entries of it."""
    labels = {
        "marker": "GFP",
        "binarisation": "Otsu",
        "area_cutoff": area_cutoff,
        "recipe": RECIPE | recipe,
    }
    return make_card(labels=labels)


def glow(share: float, *, counts: float = 2000.0, seed: int = 0) -> NDArray[np.uint16]:
    """Draw (256, 256) of which the upper `share` of the 32 px tiles glow, on a noisy background."""
    rng = np.random.default_rng(seed)
    tiles = (np.arange(64) < round(64 * share)).reshape(8, 8)
    plane = 400 + counts * tiles.repeat(32, axis=0).repeat(32, axis=1)
    return np.asarray(plane + rng.normal(0, 10, plane.shape), dtype=np.uint16)


def marker_frame(pixels: NDArray[np.uint16], *, um: float | None = 1.0) -> Frame:
    """Return a frame of channel gfp."""
    key = FrameKey(run="run7", plate="P1", well="B3", site=0, time_point=20, channel="gfp")
    return Frame(key=key, pixels=pixels, pixel_size_um=um, acquired_at=None)
