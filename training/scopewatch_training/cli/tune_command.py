"""`tune` on a data set: runs the search and writes its settings and plots."""

from pathlib import Path

import optuna

from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import inner_folds
from scopewatch_training.evaluation.cluster_worker import InnerFolds
from scopewatch_training.evaluation.evaluate import write_figures
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import search_frames
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.tune import (
    Search,
    best_settings,
    draw_history,
    draw_importance,
    losses_here,
    search_settings,
)

FEWEST_FOR_IMPORTANCE = 4


def run_search(
    dataset: Dataset,
    runs: tuple[str, ...],
    base: FitSettings,
    out: Path,
    *,
    storage: str | None,
    trials: int,
    with_context: bool,
    stages: Stages,
    threads: int,
    cluster: ClusterAddress | None,
) -> Path:
    """Search on inner folds of some runs; returns the file of the best settings."""
    out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pairs = dataset.of_runs(runs)
    folds = inner_folds(pairs, base.inner_folds)
    search = Search(
        base=base,
        storage=storage or f"sqlite:///{out / 'search.db'}",
        # Trials of other data, runs or fixed settings must not be mixed in.
        study=f"{dataset.data_sha256[:12]}-{'-'.join(runs)}-{base.fingerprint()}",
        trials=trials,
        with_context=with_context,
        folds=len(folds),
    )
    frames = search_frames(dataset, pairs, base)
    if cluster is None:
        losses = losses_here(frames, folds, dataset.normalisation.clip, stages)
        study = search_settings(search, losses, stages)
    else:
        from scopewatch_training.evaluation.cluster import (  # noqa: PLC0415 - loads Dask
            inner_losses_on_cluster,
            open_training_cluster,
        )

        with open_training_cluster(cluster, [dataset.folder.absolute()]) as client:
            inner = InnerFolds(runs=runs, base=base, folds=folds)
            losses = inner_losses_on_cluster(client, dataset, inner, threads=threads, stages=stages)
            study = search_settings(search, losses, stages)
    file = out / "settings.json"
    write_figures(file, best_settings(study, search).to_json())
    draw_history(study, out / "history.png")
    if sum(trial.value is not None for trial in study.trials) >= FEWEST_FOR_IMPORTANCE:
        draw_importance(study, out / "importance.png")
    return file
