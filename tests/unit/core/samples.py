"""Frames, cards and scorers that the tests of the core build on."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import Frame, FrameKey, Pixels
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch.core.imaging.planes.background import coarse_background
from scopewatch.core.imaging.planes.spread import USUAL_SHARE, half_distance, sample_step

KEY = FrameKey(run="run7", plate="P1", well="B3", site=2, time_point=15, channel="phase")
SPEC = NormaliseSpec()
SURE = Efficiency(value=0.42, low=0.36, high=0.48, corrected=True)
RAW = Efficiency(value=0.42, low=0.0, high=1.0, corrected=False)


def smooth_background(plane: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return the background of every pixel."""
    return coarse_background(plane, sigma_px).at(slice(None))


def robust_spread(plane: NDArray[np.float32], share: float = USUAL_SHARE) -> float:
    """Return the spread of a plane, from a sample of it."""
    step = sample_step(plane.size)
    return half_distance(plane[::step, ::step], share)


def make_card(**changes: Any) -> ModelCard:
    """Return a card without limits, with 32 px tiles at 1 um/px; `changes` replace fields."""
    fields: dict[str, Any] = {
        "schema_version": 1,
        "name": "sample",
        "description": "for tests",
        "simulated": True,
        "model_sha256": "0123456789ab" + "0" * 52,
        "tile_px": 32,
        "context": "full",
        "receptive_field_px": 64,
        "um_per_px": 1.0,
        "normalisation": {"background_px": 64.0, "contrast_floor": 0.01, "clip": 6.0},
        "labels": {"marker": "GFP", "binarisation": "fixed", "area_cutoff": 0.5},
        "threshold": 0.5,
        "errors": None,
        "quality": {},
        "trained_on": ["a"],
        "metrics": {},
        "data_sha256": "f" * 64,
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
        "versions": {"scopewatch": "0", "tensorflow": "0", "python": "3.11"},
    }
    return ModelCard.model_validate(fields | changes)


def make_cells(
    height: int = 256, width: int = 256, *, blur_px: float = 0.0, noise: float = 0.0, seed: int = 1
) -> NDArray[np.uint16]:
    """Draw a frame that looks roughly like cells: blobs of several sizes, blurred, with noise.

    `noise` is its standard deviation as a share of the mean.
    """
    rng = np.random.default_rng(seed)
    plane = np.zeros((height, width))
    for scale_px, share in ((1.2, 0.4), (3.0, 1.0), (7.0, 1.0)):
        layer = ndimage.gaussian_filter(rng.normal(size=(height, width)), scale_px)
        plane += share * layer / layer.std()
    if blur_px:
        plane = ndimage.gaussian_filter(plane, blur_px)
    counts = 4000 * (1 + 0.08 * plane) + 4000 * noise * rng.normal(size=plane.shape)
    return np.clip(counts, 1, 60_000).astype(np.uint16)


def view_of(pixels: Pixels) -> NDArray[np.float32]:
    return normalise(pixels, SPEC)


def make_frame(pixels: Pixels, pixel_size_um: float | None = 1.0) -> Frame:
    return Frame(key=KEY, pixels=pixels, pixel_size_um=pixel_size_um, acquired_at=None)


class FixedScorer:
    """Gives every tile one probability and remembers what it was shown."""

    def __init__(self, card: ModelCard, probability: float = 0.75) -> None:
        self._card = card
        self._probability = probability
        self.seen: list[tuple[int, ...]] = []
        self.closed = False

    @property
    def card(self) -> ModelCard:
        return self._card

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.closed:
            raise RuntimeError("closed")
        self.seen.append(view.shape)
        tile_px = self._card.tile_px
        shape = tuple(-(-side // tile_px) for side in view.shape)
        return np.full(shape, self._probability, dtype=np.float32)

    def score_finely(
        self, view: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        return self.score(view), None

    def close(self) -> None:
        self.closed = True
