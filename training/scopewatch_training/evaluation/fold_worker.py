"""Functions that the processes of `cross-validate --jobs` run: one fold after another.

TensorFlow must be set up before any module imports it, so functions import those modules.
"""

# ruff: noqa: PLC0415  (see above)

import pickle
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TYPE_CHECKING

from scopewatch_training.dataset.splits import Fold
from scopewatch_training.evaluation.line_stages import LineStages
from scopewatch_training.network.device import use_device

if TYPE_CHECKING:
    from scopewatch_training.dataset.prepared import Dataset
    from scopewatch_training.evaluation.baselines import Baselines
    from scopewatch_training.evaluation.single_fold import CrossValidation, FoldResult

Lines = SimpleQueue[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _WorkerState:
    """State that a process keeps between its folds, so that tile features are computed once."""

    lines: Lines
    dataset: "Dataset"
    task: "CrossValidation"
    baselines: "Baselines"


_state: list[_WorkerState] = []


def start_worker(lines: Lines, folder: Path, packed: bytes, threads: int) -> None:
    """Set this process up with so many threads.

    Parameters
    ----------
    packed
        The pickled `CrossValidation`, whose module imports TensorFlow.
    """
    use_device(threads)
    from scopewatch_training.dataset.index import open_dataset
    from scopewatch_training.evaluation.single_fold import baselines_of

    dataset = open_dataset(folder)
    # It comes from the process that started this one.
    task: CrossValidation = pickle.loads(packed)  # noqa: S301
    baselines = baselines_of(dataset, task)
    _state.append(_WorkerState(lines=lines, dataset=dataset, task=task, baselines=baselines))


def run_fold_in_worker(fold: Fold, title: str, now: datetime) -> "FoldResult":
    """Work on a fold, in a process that `start_worker` set up."""
    from scopewatch_training.evaluation.single_fold import FoldContext, run_fold

    (state,) = _state
    stages = LineStages(state.lines.put, title)
    context = FoldContext(dataset=state.dataset, task=state.task, now=now)
    return run_fold(context, fold, title, baselines=state.baselines, stages=stages)


def train_network_in_worker(fold: Fold, title: str, now: datetime) -> None:
    """Train the shared network of a fold, in a process that `start_worker` set up."""
    from scopewatch_training.evaluation.single_fold import FoldContext, train_shared

    (state,) = _state
    context = FoldContext(dataset=state.dataset, task=state.task, now=now)
    train_shared(context, fold, LineStages(state.lines.put, title))
