"""Scores of a float network beside the labels of their tiles."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import label_pair
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import Platt, ScoredFrame
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.train_loop import predict_logits

AS_IT_IS: Final = Platt(slope=1.0, intercept=0.0)
"""Leaves logits as they are: of a network that is calibrated already, or never will be."""


def label_scores(
    frames: Sequence[TrainingFrame],
    scores: Sequence[NDArray[np.float32]],
    settings: FitSettings,
) -> list[ScoredFrame]:
    """Put scores beside the labels of their frames."""
    return [
        ScoredFrame(
            id=frame.id,
            run=frame.run,
            labels=label_pair(frame.signal[:, :], frame.threshold, settings.labels)[1],
            scores=found,
        )
        for frame, found in zip(frames, scores, strict=True)
    ]


def probabilities(frame: ScoredFrame, platt: Platt) -> ScoredFrame:
    """Turn a frame's logits into calibrated probabilities."""
    logits = platt.slope * frame.scores.astype(np.float64) + platt.intercept
    return replace(frame, scores=(1 / (1 + np.exp(-logits))).astype(np.float32))


def score_float(
    network: keras.Model, frames: Sequence[TrainingFrame], settings: FitSettings
) -> list[ScoredFrame]:
    """Return the probabilities that a float network gives to the tiles of frames."""
    logits = label_scores(frames, predict_logits(network, frames), settings)
    return [probabilities(frame, AS_IT_IS) for frame in logits]
