"""Augmentation of normalised views: the differences that microscopes make between frames.

It varies what normalisation does not remove: orientation, a few percent of scale (objectives and
couplers differ), contrast, residual uneven illumination, focus and camera noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

View = NDArray[np.float32]
Masks = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Ranges in which views are varied; `strength` 0 leaves only flips and quarter turns.

    Parameters
    ----------
    strength
        Scales everything below.
    scale
        Standard deviation of the relative size.
    gain
        Standard deviation of the logarithm of the contrast.
    tilt
        Largest rise of a linear illumination gradient across a crop, in normalised units.
    defocus_px
        Largest standard deviation of the blur.
    noise
        Largest standard deviation of added Gaussian noise, in normalised units.
    clip
        Views are clipped to +-clip again, as `normalise` did.
    """

    strength: float = 1.0
    scale: float = 0.05
    gain: float = 0.15
    tilt: float = 0.4
    defocus_px: float = 0.9
    noise: float = 0.2
    clip: float = 6.0

    def vary(self, view: View, masks: Masks, rng: np.random.Generator) -> tuple[View, Masks]:
        """Vary a square crop and its masks alike.

        Parameters
        ----------
        view
            (S, S) float32 normalised crop.
        masks
            (N, S, S) float32, 0 to 1: planes that move with the view, unchanged in brightness.

        Returns
        -------
        New arrays of the same shape.
        """
        if self.strength > 0:
            view, masks = self._rescale(view, masks, rng)
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        view, masks = np.rot90(view, turns), np.rot90(masks, turns, axes=(1, 2))
        if flip:
            view, masks = view[:, ::-1], masks[..., ::-1]
        masks = np.ascontiguousarray(masks)
        if self.strength <= 0:
            return np.ascontiguousarray(view), masks
        return self._light(view, rng), masks

    def _rescale(self, view: View, masks: Masks, rng: np.random.Generator) -> tuple[View, Masks]:
        """Zoom and turn about the middle; pixels from outside are reflected."""
        if rng.random() < 0.5:
            return view, masks
        zoom = float(np.exp(rng.normal(0, self.scale * self.strength)))
        angle = rng.uniform(-np.pi / 4, np.pi / 4)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
        middle = (np.array(view.shape) - 1) / 2
        offset = middle - turn @ middle
        moved = [
            # A plane of one value stays as it is; most known-masks are that.
            plane
            if plane.min() == plane.max()
            else ndimage.affine_transform(plane, turn, offset, order=1, mode="reflect")
            for plane in (view, *masks)
        ]
        return moved[0], np.stack(moved[1:])

    def _light(self, view: View, rng: np.random.Generator) -> View:
        """Vary focus, contrast, illumination and noise."""
        if rng.random() < 0.4:
            view = ndimage.gaussian_filter(view, rng.uniform(0.2, self.defocus_px * self.strength))
        gain = np.exp(rng.normal(0, self.gain * self.strength))
        rise = rng.uniform(-0.5, 0.5, size=2) * self.tilt * self.strength
        across = np.linspace(-1, 1, view.shape[1], dtype=np.float32) * rise[0]
        down = np.linspace(-1, 1, view.shape[0], dtype=np.float32) * rise[1]
        varied: View = view * np.float32(gain) + (down[:, None] + across[None, :]).astype(
            np.float32
        )
        if rng.random() < 0.5:
            noise = rng.uniform(0, self.noise * self.strength)
            varied += rng.standard_normal(varied.shape, dtype=np.float32) * np.float32(noise)
        return np.clip(varied, -self.clip, self.clip)
