"""`tune` on a data set: runs the search and writes its settings and plots."""

from pathlib import Path

import optuna

from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import inner_folds
from scopewatch_training.evaluation.evaluate import write_figures
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of, refuse_one_class
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.tune import (
    Search,
    best_settings,
    draw_history,
    draw_importance,
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
) -> Path:
    """Search on inner folds of some runs; returns the file of the best settings."""
    out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pairs = dataset.of_runs(runs)
    frames = frames_of(dataset, pairs, fit_thresholds(pairs, base.binarise), base.labels)
    refuse_one_class(frames, dataset.folder)
    search = Search(
        base=base,
        storage=storage or f"sqlite:///{out / 'search.db'}",
        # Trials of other data, runs or fixed settings must not be mixed in.
        study=f"{dataset.data_sha256[:12]}-{'-'.join(runs)}-{base.fingerprint()}",
        trials=trials,
        with_context=with_context,
    )
    folds = inner_folds(pairs, base.inner_folds)
    clip = dataset.normalisation.clip
    study = search_settings(frames, folds, search, clip=clip, stages=stages)
    file = out / "settings.json"
    write_figures(file, best_settings(study, search).to_json())
    draw_history(study, out / "history.png")
    if sum(trial.value is not None for trial in study.trials) >= FEWEST_FOR_IMPORTANCE:
        draw_importance(study, out / "importance.png")
    return file
