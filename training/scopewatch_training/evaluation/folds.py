"""Outer folds of a cross-validation: one after the other, or several at a time."""

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from shlex import quote
from threading import Event, Thread

from scopewatch.core.errors import ModelError, complaint
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import Fold
from scopewatch_training.dataset.worker_processes import open_pool
from scopewatch_training.evaluation.cluster import run_folds_on_cluster
from scopewatch_training.evaluation.fold_worker import (
    Lines,
    run_fold_in_worker,
    start_worker,
    train_network_in_worker,
)
from scopewatch_training.evaluation.single_fold import (
    CrossValidation,
    FoldContext,
    FoldOutcome,
    FoldResult,
    baselines_of,
    run_fold,
    train_shared,
)
from scopewatch_training.network.stages import Stages


def run_folds(
    dataset: Dataset,
    folds: Sequence[Fold],
    task: CrossValidation,
    *,
    now: datetime,
    stages: Stages,
) -> list[FoldOutcome]:
    """Work on all folds and return their outcomes in order.

    The outcomes do not depend on `jobs`, as long as each fold has as many threads: the number of
    threads changes how sums are rounded.

    Raises
    ------
    ModelError
        Where folds have no bundle, after all others were worked on; at once where a process of a
        fold was killed.
    """
    titles = [
        f"fold {number} of {len(folds)}, {fold.test[0]} held out"
        for number, fold in enumerate(folds, start=1)
    ]
    if task.cluster is not None:
        results = run_folds_on_cluster(dataset, folds, titles, task, now=now, stages=stages)
    elif min(task.jobs, len(folds)) == 1:
        results = _one_after_another(dataset, folds, titles, task, now=now, stages=stages)
    else:
        results = _in_processes(dataset, folds, titles, task, now=now, stages=stages)
    return require_bundles(results, folds, task.work, dataset.folder)


def require_bundles(
    results: Sequence[FoldResult], folds: Sequence[Fold], work: Path, dataset: Path
) -> list[FoldOutcome]:
    """Return the outcomes of folds that all have a bundle.

    Raises
    ------
    ModelError
        Where some have none: figures of the other runs alone would flatter.
    """
    outcomes, kept, missing = [], [], {}
    for fold, result in zip(folds, results, strict=True):
        if isinstance(result, FoldOutcome):
            outcomes.append(result)
            kept.append(fold.test[0])
        else:
            missing[fold.test[0]] = result.reason
    if not missing:
        return outcomes
    do = "other settings or labels fit all folds again"
    if kept:
        judge = f"{quote(str(outcomes[0].bundle))} {quote(str(dataset))} --run {quote(kept[0])}"
        do = (
            f"the bundles without {', '.join(kept)} are kept there, and each can be judged alone,"
            f" as by scopewatch-train evaluate {judge}; {do}"
        )
    reasons = "; ".join(f"without {run}: {reason}" for run, reason in missing.items())
    raise ModelError(
        complaint(
            f"{len(missing)} of {len(folds)} folds have no bundle, and figures without the runs"
            " that they hold out would flatter",
            where=work,
            expected="a bundle of each fold",
            got=f"none {reasons}",
            do=do,
        )
    )


def _one_after_another(
    dataset: Dataset,
    folds: Sequence[Fold],
    titles: Sequence[str],
    task: CrossValidation,
    *,
    now: datetime,
    stages: Stages,
) -> list[FoldResult]:
    context = FoldContext(dataset=dataset, task=task, now=now)
    baselines = baselines_of(dataset, task)
    if task.shared:
        for fold in folds:
            train_shared(context, fold, stages)
    return [
        run_fold(context, fold, title, baselines=baselines, stages=stages)
        for fold, title in zip(folds, titles, strict=True)
    ]


def _in_processes(
    dataset: Dataset,
    folds: Sequence[Fold],
    titles: Sequence[str],
    task: CrossValidation,
    *,
    now: datetime,
    stages: Stages,
) -> list[FoldResult]:
    jobs = min(task.jobs, len(folds))
    share = replace(task, threads=max(1, task.threads // jobs), jobs=1)
    lines: Lines = get_context("spawn").SimpleQueue()
    with (
        stages.counting("folds") as progress,
        _forward_lines(lines, stages),
        open_pool(
            jobs, start_worker, lines, dataset.folder, pickle.dumps(share), share.threads
        ) as pool,
    ):
        progress(0, len(folds))
        networks = [
            pool.submit(train_network_in_worker, fold, title, now)
            for fold, title in zip(folds if task.shared else (), titles, strict=False)
        ]
        futures: list[Future[FoldResult]] = []
        try:
            # Every fold uses the networks of the others.
            for network in networks:
                network.result()
            futures += [
                pool.submit(run_fold_in_worker, fold, title, now)
                for fold, title in zip(folds, titles, strict=True)
            ]
            for done, future in enumerate(as_completed(futures), start=1):
                future.result()
                progress(done, len(folds))
        except BrokenProcessPool as error:
            raise ModelError(
                complaint(
                    "process of a fold was killed",
                    where=task.work,
                    do="call again, which goes on where it was; with less --jobs if memory ran out",
                )
            ) from error
        finally:
            # After a failure no further fold starts; running ones end and keep their results.
            for network in networks:
                network.cancel()
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]


@contextmanager
def _forward_lines(lines: Lines, stages: Stages) -> Iterator[None]:
    """Report the lines of the processes as they arrive."""
    over = Event()

    def forward() -> None:
        # Polled, since a read could block for ever: a killed process may hold the pipe.
        while not (over.wait(0.1) and lines.empty()):
            while not lines.empty():
                stages.report(lines.get())

    thread = Thread(target=forward, name="fold lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
