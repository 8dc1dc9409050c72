"""PNGs of a pair for the page: its phase frame, and its fluorescence with what is positive."""

from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.imaging.labels import positive_mask
from scopewatch_training.dataset.contact_sheets import outline_mask
from scopewatch_training.dataset.prepared import Dataset, Pair

_GREY_RANGE: Final = 2.5
_BRIGHTEST: Final = 20.0
"""Signal in thresholds that is drawn fully bright."""
_LINE: Final = (255, 90, 60)


def draw_phase(dataset: Dataset, pair: Pair) -> bytes:
    """Draw the normalised phase frame in grey."""
    view = np.asarray(dataset.view(pair), dtype=np.float32)
    grey = np.clip((view + _GREY_RANGE) / (2 * _GREY_RANGE), 0, 1)
    return _to_png((255 * grey).astype(np.uint8))


def draw_fluorescence(dataset: Dataset, pair: Pair, threshold: float) -> bytes:
    """Draw the signal in grey on an inverse hyperbolic scale; a line surrounds what is positive.

    Parameters
    ----------
    threshold
        Counts above which a pixel is positive; inf where there is no signal.
    """
    signal = np.asarray(dataset.signal(pair), dtype=np.float32)
    scale = threshold if np.isfinite(threshold) else max(10 * pair.noise, 1.0)
    light = np.arcsinh(np.clip(np.nan_to_num(signal), 0, None) / scale) / np.arcsinh(_BRIGHTEST)
    picture = np.repeat((255 * np.clip(light, 0, 1)).astype(np.uint8)[..., None], 3, axis=-1)
    picture[outline_mask(positive_mask(signal, threshold))] = _LINE
    return _to_png(picture)


def _to_png(pixels: NDArray[Any]) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
