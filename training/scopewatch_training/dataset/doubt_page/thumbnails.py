"""Thumbnails of a pair side by side: phase, fluorescence, and the labels over phase."""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scopewatch.core.errors import FrameError
from scopewatch.core.imaging.labels import share_pair
from scopewatch_training.dataset.annotation import read_fluorescence
from scopewatch_training.dataset.drawing import phase_grey, signal_glow
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pictures import PictureRef, read_picture
from scopewatch_training.dataset.prepared import Dataset

Grey = NDArray[np.float32]

SIDE_PX: Final = 192
_GAP_PX: Final = 6
_PERCENTILES: Final = (1.0, 99.7)
_DIM: Final = 0.7
_QUALITY: Final = 75
_LINE: Final = (255, 214, 0)


def draw_pair(dataset: Dataset, pair: Pair, cut: float | None) -> bytes:
    """Draw an accepted pair as JPEG.

    Positive tiles are outlined in the third picture. Where a part of the pair moved, a square
    with a dark rim marks it in all three.

    Parameters
    ----------
    cut
        Threshold of the pair; None: no labels are drawn.
    """
    signal = np.asarray(dataset.signal(pair), dtype=np.float32)
    phase = phase_grey(_small(np.asarray(dataset.view(pair), dtype=np.float32)))
    threshold = np.inf if cut is None else cut
    glow = signal_glow(_small(np.nan_to_num(signal)), threshold, pair.noise)
    panels = [_rgb(phase), _rgb(glow), _rgb(_DIM * phase)]
    if cut is not None:
        panels[2][_outline(_positive(dataset, pair, signal, cut, phase.shape))] = _LINE
    if pair.moved_at_px is not None:
        for panel in panels:
            _mark(panel, pair)
    return _jpeg(panels)


def draw_refused(pair: Pair) -> bytes:
    """Draw the two pictures of a refused pair as JPEG; b'' where one cannot be read."""
    try:
        pictures = [
            read_picture(PictureRef.parse(Path(), pair.phase)).pixels,
            read_fluorescence(PictureRef.parse(Path(), pair.fluorescence))[0].pixels,
        ]
    except FrameError:
        # The reason of the refusal beside it names the fault.
        return b""
    return _jpeg([_rgb(_stretch(_small(pixels.astype(np.float32)))) for pixels in pictures])


def _small(plane: Grey) -> Grey:
    """Return block means of which the longer side has `SIDE_PX` pixels."""
    factor = SIDE_PX / max(plane.shape)
    height, width = (max(1, round(side * factor)) for side in plane.shape)
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX), dtype=np.float32)


def _stretch(plane: Grey) -> Grey:
    low, high = np.percentile(plane, _PERCENTILES)
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-6), 0, 1), dtype=np.float32)


def _positive(
    dataset: Dataset, pair: Pair, signal: Grey, cut: float, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Mark the pixels of a thumbnail that lie in positive tiles."""
    labels = dataset.labels
    _, share = share_pair(signal, cut, labels)
    positive = np.nan_to_num(share) >= labels.area_cutoff
    rows, cols = (
        np.arange(small) * side // small // labels.tile_px
        for small, side in zip(shape, (pair.height, pair.width), strict=True)
    )
    return np.asarray(positive[np.ix_(rows, cols)])


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask that touch what is outside it; the border of the picture is outside."""
    padded = np.pad(inside, 1)
    full = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~full)


def _mark(panel: NDArray[np.uint8], pair: Pair) -> None:
    """Draw a white square with a dark rim about the part of a pair that moved."""
    assert pair.moved_at_px is not None
    row, col = (
        round(at * small / side)
        for at, small, side in zip(
            pair.moved_at_px, panel.shape[:2], (pair.height, pair.width), strict=True
        )
    )
    reach = SIDE_PX // 8
    for step, level in ((reach, 255), (reach + 1, 0), (reach - 1, 0)):
        for edge in (-step, step):
            across = slice(max(col - step, 0), max(col + step + 1, 0))
            down = slice(max(row - step, 0), max(row + step + 1, 0))
            if 0 <= row + edge < panel.shape[0]:
                panel[row + edge, across] = level
            if 0 <= col + edge < panel.shape[1]:
                panel[down, col + edge] = level


def _rgb(grey: NDArray[Any]) -> NDArray[np.uint8]:
    levels = np.asarray(np.rint(255 * grey), dtype=np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def _jpeg(panels: list[NDArray[np.uint8]]) -> bytes:
    """Join panels from left to right, on white."""
    height = max(panel.shape[0] for panel in panels)
    width = sum(panel.shape[1] for panel in panels) + _GAP_PX * (len(panels) - 1)
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    left = 0
    for panel in panels:
        canvas[: panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + _GAP_PX
    stream = BytesIO()
    Image.fromarray(canvas).save(stream, format="JPEG", quality=_QUALITY)
    return stream.getvalue()
