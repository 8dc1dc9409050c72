"""Folds on the processes of a Dask cluster: the figures of one process, and lost folds repeated.

Each process works on one fold at a time, since Keras keeps state for a whole process. The data set
and the folder of the work must be there for all of them.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scopewatch.core.errors import ClusterError, ModelError, complaint
from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.connect import open_cluster
from scopewatch.runtime.cluster.ordered import Lost, OrderedMap
from scopewatch.runtime.cluster.requirements import check_paths
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import Fold
from scopewatch_training.evaluation.cluster_worker import (
    InnerFolds,
    run_fold_here,
    train_inner_fold_here,
    train_network_here,
)
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.stages import Stages

if TYPE_CHECKING:
    from distributed import Client

    from scopewatch_training.evaluation.single_fold import CrossValidation, FoldResult

_TRAINING: Final = (
    *("scopewatch", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "scikit-image"),
    "ai-edge-litert",
)

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def open_training_cluster(address: ClusterAddress, paths: Sequence[Path]) -> Iterator["Client"]:
    """Connect to a cluster whose processes work on one task at a time and see the paths.

    Raises
    ------
    ClusterError
        When they do not, or as `open_cluster`.
    """
    with open_cluster(address, packages=_TRAINING) as client:
        if address.scheduler:
            busy = {name: threads for name, threads in client.nthreads().items() if threads != 1}
            for name, threads in busy.items():
                raise ClusterError(
                    complaint(
                        "worker of the cluster would work on several folds at once",
                        where=name,
                        expected="1 thread",
                        got=f"{threads} threads",
                        do="start workers with --nthreads 1; --threads sets those of a fold",
                    )
                )
            check_paths(client, paths, address.scheduler)
        yield client


def run_folds_on_cluster(
    dataset: Dataset,
    folds: Sequence[Fold],
    titles: Sequence[str],
    task: "CrossValidation",
    *,
    now: datetime,
    stages: Stages,
) -> "list[FoldResult]":
    """Work on all folds, each in a process with `task.threads` threads; return them in order."""
    if task.cluster is None:
        raise ValueError("no cluster is named")
    task.work.mkdir(parents=True, exist_ok=True)
    share = replace(task, jobs=1, cluster=None, work=task.work.absolute())
    folder = dataset.folder.absolute()
    # Packed: to unpack it loads TensorFlow, which a worker must set up before.
    common = (pickle.dumps(share), folder, task.threads, now)
    items = list(zip(folds, titles, strict=True))
    with open_training_cluster(task.cluster, [folder, share.work]) as client:
        if task.shared:
            # Every fold uses the networks of the others.
            list(_each(client, train_network_here, common, items))
        outcomes = []
        with stages.counting("folds") as progress:
            progress(0, len(items))
            for outcome in _each(client, run_fold_here, common, items):
                outcomes.append(outcome)
                progress(len(outcomes), len(items))
    return outcomes


def inner_losses_on_cluster(
    client: "Client", dataset: Dataset, search: InnerFolds, *, threads: int, stages: Stages
) -> Callable[[FitSettings, str], Iterator[float]]:
    """Return what trains the inner folds of a trial side by side, and yields losses in order.

    Whoever stops to iterate gives the later folds up: a trial that is pruned takes no more of them.
    """
    common = (search, dataset.folder.absolute(), threads)

    def losses(settings: FitSettings, title: str) -> Iterator[float]:
        stages.report(f"{title}, {len(search.folds)} folds")
        items = [(settings, number) for number in range(len(search.folds))]
        return _each(client, train_inner_fold_here, common, items)

    return losses


def _each(
    client: "Client",
    function: Callable[..., Result],
    common: tuple[Any, ...],
    items: Iterable[Item],
) -> Iterator[Result]:
    work: OrderedMap[Item, Result] = OrderedMap(client, partial(function, *common))
    for result in work.run(items):
        if isinstance(result, Lost):
            raise ModelError(
                complaint(
                    "processes ended while they worked on a fold",
                    where=str(result.item),
                    got="several, also with this fold alone",
                    do="look for want of memory there; the call goes on where it was",
                )
            )
        yield result
