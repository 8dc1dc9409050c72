"""PNGs of a pair for the page: its phase frame, and its fluorescence with what is positive."""

from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.imaging.labels import positive_mask
from scopewatch_training.dataset.contact_sheets import outline_mask
from scopewatch_training.dataset.drawing import phase_grey, signal_glow
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset

_LINE: Final = (255, 90, 60)


def draw_phase(dataset: Dataset, pair: Pair) -> bytes:
    """Draw the normalised phase frame in grey."""
    view = np.asarray(dataset.view(pair), dtype=np.float32)
    return _to_png((255 * phase_grey(view)).astype(np.uint8))


def draw_fluorescence(dataset: Dataset, pair: Pair, threshold: float) -> bytes:
    """Draw the signal in grey on an inverse hyperbolic scale; a line surrounds what is positive.

    Parameters
    ----------
    threshold
        Counts above which a pixel is positive; inf where there is no signal.
    """
    signal = np.asarray(dataset.signal(pair), dtype=np.float32)
    glow = signal_glow(signal, threshold, pair.noise)
    picture = np.repeat((255 * glow).astype(np.uint8)[..., None], 3, axis=-1)
    picture[outline_mask(positive_mask(signal, threshold))] = _LINE
    return _to_png(picture)


def _to_png(pixels: NDArray[Any]) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
