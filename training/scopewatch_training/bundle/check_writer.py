"""Chooses the frames by which a bundle's runtimes are compared with LiteRT; see `check.npz`."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.inference.check_frames import encode_check
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.network.batches import TrainingFrame

FRAMES: Final = 3
TRIED: Final = 48
SIDE_PX: Final = 512
TILES: Final = 8
"""Tiles along the side of a crop, where these are more than `SIDE_PX`."""


def choose_check(scorer: TFLiteScorer, frames: Sequence[TrainingFrame]) -> bytes:
    """Return `check.npz`: crops of training frames on which the network is least sure, and scores.

    There small errors of a runtime move tiles across the threshold. Up to `TRIED` frames, evenly
    chosen, are tried.

    Parameters
    ----------
    scorer
        Under LiteRT.
    """
    tile_px = scorer.tile_px
    wanted_px = max(SIDE_PX, TILES * tile_px)
    shapes = [frame.view.shape for frame in frames]
    height, width = (
        min(wanted_px, *(shape[axis] for shape in shapes)) // tile_px * tile_px for axis in (0, 1)
    )
    entry, answer = scorer.codes
    found: list[tuple[float, NDArray[np.int8], NDArray[np.int8]]] = []
    for index in np.unique(np.linspace(0, len(frames) - 1, min(len(frames), TRIED)).round()):
        view = np.asarray(frames[int(index)].view[:height, :width], dtype=np.float32)
        codes = np.empty(view.shape, dtype=np.int8)
        entry.encode(view, codes)
        probability = scorer.score(entry.decode(codes))
        tiles = np.empty(probability.shape, dtype=np.int8)
        answer.encode(probability, tiles)
        found.append((float(np.mean(probability * (1 - probability))), codes, tiles))
    found.sort(key=lambda each: -each[0])
    chosen = [(codes, tiles) for _, codes, tiles in found[:FRAMES]]
    return encode_check(scorer.card.model_sha256, chosen, entry, answer)
