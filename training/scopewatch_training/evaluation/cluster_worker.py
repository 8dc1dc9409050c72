"""What a process of a Dask cluster does with a fold.

TensorFlow must be set up before any module imports it, so functions import those modules.
"""

# ruff: noqa: PLC0415  (see above)

import logging
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scopewatch_training.dataset.splits import Fold
from scopewatch_training.evaluation.line_stages import LineStages
from scopewatch_training.network.device import use_device
from scopewatch_training.network.fit_settings import FitSettings

if TYPE_CHECKING:
    from scopewatch_training.dataset.prepared import Dataset
    from scopewatch_training.evaluation.baselines import Baselines
    from scopewatch_training.evaluation.single_fold import CrossValidation, FoldResult
    from scopewatch_training.network.batches import TrainingFrame

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerFolds:
    """Inner folds of a search, as indices of the frames of its runs.

    Parameters
    ----------
    base
        Settings that no trial changes: how frames are made.
    """

    runs: tuple[str, ...]
    base: FitSettings
    folds: Sequence[tuple[list[int], list[int]]]


def run_fold_here(
    packed: bytes, folder: Path, threads: int, now: datetime, item: tuple[Fold, str]
) -> "FoldResult":
    """Work on a fold of a cross-validation."""
    dataset, task, baselines = _open_task(packed, folder, threads)
    from scopewatch_training.evaluation.single_fold import FoldContext, run_fold

    fold, title = item
    context = FoldContext(dataset=dataset, task=task, now=now)
    return run_fold(context, fold, title, baselines=baselines, stages=LineStages(log.info, title))


def train_network_here(
    packed: bytes, folder: Path, threads: int, now: datetime, item: tuple[Fold, str]
) -> None:
    """Train the shared network of a fold."""
    dataset, task, _ = _open_task(packed, folder, threads)
    from scopewatch_training.evaluation.single_fold import FoldContext, train_shared

    fold, title = item
    context = FoldContext(dataset=dataset, task=task, now=now)
    train_shared(context, fold, LineStages(log.info, title))


def train_inner_fold_here(
    search: InnerFolds, folder: Path, threads: int, item: tuple[FitSettings, int]
) -> float:
    """Train on an inner fold with the settings of a trial; return the loss on its held-out runs."""
    frames, clip = _open_frames(pickle.dumps(search), folder, threads)
    from scopewatch_training.network.tune import inner_loss

    settings, number = item
    title = f"fold {number + 1}"
    return inner_loss(
        frames, search.folds[number], settings, clip, LineStages(log.info, title), title
    )


@lru_cache(maxsize=1)
def _open_task(
    packed: bytes, folder: Path, threads: int
) -> "tuple[Dataset, CrossValidation, Baselines]":
    """Set this process up; tile features are computed once in it."""
    use_device(threads)
    from scopewatch_training.dataset.index import open_dataset
    from scopewatch_training.evaluation.single_fold import CrossValidation, baselines_of

    # Part of a message of the process that called.
    task = pickle.loads(packed)  # noqa: S301
    if not isinstance(task, CrossValidation):
        raise TypeError(f"{type(task).__name__} is no cross-validation")
    dataset = open_dataset(folder)
    return dataset, task, baselines_of(dataset, task)


@lru_cache(maxsize=1)
def _open_frames(
    packed: bytes, folder: Path, threads: int
) -> "tuple[Sequence[TrainingFrame], float]":
    use_device(threads)
    from scopewatch_training.dataset.index import open_dataset
    from scopewatch_training.network.frames import search_frames

    # Packed to be a key of the cache.
    search: InnerFolds = pickle.loads(packed)  # noqa: S301
    dataset = open_dataset(folder)
    frames = search_frames(dataset, dataset.of_runs(search.runs), search.base)
    return frames, dataset.normalisation.clip
