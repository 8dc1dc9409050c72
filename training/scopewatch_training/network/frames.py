"""Pairs of a data set as frames with thresholds and labels, for training and for scoring."""

from collections.abc import Sequence

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.core.imaging.binarise import Thresholds, fit_thresholds
from scopewatch.core.imaging.labels import label_pair
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import ScoredFrame
from scopewatch_training.network.fit_settings import FitSettings


def frames_of(
    dataset: Dataset, pairs: Sequence[Pair], thresholds: Thresholds, labels: LabelSettings
) -> list[TrainingFrame]:
    """Return pairs with their thresholds, without reading pixels; give whole runs at once.

    Raises
    ------
    ConfigError
        When tiles were corrected whose side is not that of `labels`.
    """
    per_pair = thresholds.per_pair(pairs)
    frames = []
    for pair in pairs:
        view, signal = dataset.stored(pair, labels)
        frames.append(
            TrainingFrame(
                id=pair.id,
                run=pair.run,
                view=view,
                signal=signal,
                threshold=per_pair[pair.id],
            )
        )
    return frames


def score_frames(
    scorer: Scorer, frames: Sequence[TrainingFrame], labels: LabelSettings
) -> list[ScoredFrame]:
    """Score frames as the daemon does, and label their tiles."""
    return [
        ScoredFrame(
            id=frame.id,
            run=frame.run,
            labels=label_pair(frame.signal[:, :], frame.threshold, labels)[1],
            scores=scorer.score(np.asarray(frame.view[:, :], dtype=np.float32)),
        )
        for frame in frames
    ]


def refuse_one_class(frames: Sequence[TrainingFrame], where: object) -> None:
    """Refuse training data without a positive pixel: all its thresholds are inf."""
    if all(np.isinf(frame.threshold) for frame in frames):
        raise ConfigError(
            complaint(
                "training runs hold no positive tile",
                where=where,
                expected="fluorescence well above the camera's noise",
                got=f"{len(frames)} frames without",
                do="check the fluorescence images, or choose another binarisation",
            )
        )


def search_frames(
    dataset: Dataset, pairs: Sequence[Pair], base: FitSettings
) -> Sequence[TrainingFrame]:
    """Return the frames of a search, labelled by the settings that no trial changes.

    Raises
    ------
    TrainingDataError
        When they are all of one class.
    """
    frames = frames_of(dataset, pairs, fit_thresholds(pairs, base.binarise), base.labels)
    refuse_one_class(frames, dataset.folder)
    return frames
