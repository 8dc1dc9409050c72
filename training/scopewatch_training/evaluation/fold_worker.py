"""What a process of `cross-validate --jobs` does: one fold after another.

TensorFlow is set up before anything that imports it, so those imports stand within.
"""

# ruff: noqa: PLC0415  (see above)

from dataclasses import dataclass
from datetime import datetime
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import TYPE_CHECKING

from scopewatch_training.dataset.splits import Fold
from scopewatch_training.evaluation.line_stages import ToldStages
from scopewatch_training.network.device import use_device

if TYPE_CHECKING:
    from scopewatch_training.dataset.prepared import Dataset
    from scopewatch_training.evaluation.baselines import Baselines
    from scopewatch_training.evaluation.single_fold import CrossValidation, FoldOutcome

Lines = SimpleQueue[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Place:
    """What a process keeps between its folds; tile features are computed once."""

    lines: Lines
    dataset: "Dataset"
    task: "CrossValidation"
    baselines: "Baselines"


_here: list[_Place] = []


def begin(lines: Lines, folder: Path, task: "CrossValidation") -> None:
    """Set this process up; `task.threads` are its own."""
    use_device(task.threads)
    from scopewatch_training.dataset.prepared import open_dataset
    from scopewatch_training.evaluation.single_fold import baselines_of

    dataset = open_dataset(folder)
    baselines = baselines_of(dataset, task)
    _here.append(_Place(lines=lines, dataset=dataset, task=task, baselines=baselines))


def work(fold: Fold, title: str, now: datetime) -> "FoldOutcome":
    """Work on a fold in a process that has begun."""
    from scopewatch_training.evaluation.single_fold import run_fold

    (here,) = _here
    stages = ToldStages(here.lines.put, title)
    return run_fold(here.dataset, fold, here.task, title, here.baselines, now, stages)


def work_on_network(fold: Fold, title: str, now: datetime) -> None:
    """Train the network of a fold that shares it, in a process that has begun."""
    from scopewatch_training.evaluation.single_fold import train_shared

    (here,) = _here
    train_shared(here.dataset, fold, here.task, now, ToldStages(here.lines.put, title))
