"""Learns how squares and tiles together give the finer stain of a card."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from scopewatch.core.imaging.analyse import Scorer, finer_logits
from scopewatch.core.imaging.labels import positive_share
from scopewatch.core.imaging.model_card.card import FineStain
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.network_spec import QUARTERS, NetworkSpec

FRAMES: Final = 48
SQUARES: Final = 2000
"""Frames, evenly chosen, and squares of each that the weights are learnt from."""


def raw_stain(spec: NetworkSpec) -> FineStain:
    """Return the squares of a network as they are, before anything was learnt of them."""
    side_px = spec.tile_px // QUARTERS
    return FineStain(side_px=side_px, offset=0.0, of_square=1.0, of_tile=0.0)


def learn_fine_stain(
    scorer: Scorer, spec: NetworkSpec, frames: Sequence[TrainingFrame], seed: int = 0
) -> FineStain:
    """Fit the weights of a card's finer stain by logistic regression on the positive share.

    The network has seen these frames, so that tiles get a little more weight than on others.

    Parameters
    ----------
    scorer
        Of a bundle whose card has a finer stain, with any weights.
    """
    stain = raw_stain(spec)
    rng = np.random.default_rng(seed)
    rows, found = [], []
    for index in np.unique(np.linspace(0, len(frames) - 1, min(len(frames), FRAMES)).round()):
        frame = frames[int(index)]
        signal = np.asarray(frame.signal[:, :], dtype=np.float32)
        grid = TileGrid(height=signal.shape[0], width=signal.shape[1], tile_px=stain.side_px)
        tiles, squares = scorer.score_finely(np.asarray(frame.view[:, :], dtype=np.float32))
        if squares is None:
            raise ValueError("the card of the scorer describes no finer stain")
        share = positive_share(signal, frame.threshold, grid).ravel()
        known = np.flatnonzero(np.isfinite(share))
        chosen = rng.choice(known, min(len(known), SQUARES), replace=False)
        logits = finer_logits(squares, tiles, QUARTERS)
        rows.append(np.stack([each.ravel()[chosen] for each in logits], axis=1))
        found.append(share[chosen])
    shares = np.concatenate(found)
    if not 0 < shares.sum() < len(shares):
        return stain
    # A square of which a third is positive counts by a third as positive.
    fitted = LogisticRegression(C=np.inf).fit(
        np.concatenate(rows * 2),
        np.repeat([1, 0], len(shares)),
        sample_weight=np.concatenate([shares, 1 - shares]),
    )
    of_square, of_tile = (max(0.0, round(float(each), 4)) for each in fitted.coef_[0])
    offset = round(float(fitted.intercept_[0]), 4)
    return FineStain(side_px=stain.side_px, offset=offset, of_square=of_square, of_tile=of_tile)
