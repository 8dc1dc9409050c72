"""`cross-validate`: each run held out once, a whole fit on the others, all figures on it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.core.efficiency import positive_fraction
from scopewatch.core.tiling import TileGrid, TileScores
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.assessment import Assessment, ScoredField, assess
from scopewatch_training.baselines import Baselines
from scopewatch_training.bundle_writer import REPORT_FOLDER
from scopewatch_training.dataset import Dataset
from scopewatch_training.evaluate import read_label_rule, score_fields
from scopewatch_training.fit import FitRequest, fit
from scopewatch_training.fit_record import FIT_FILE, SCORER_BUDGET_MB, read_fit
from scopewatch_training.fit_settings import FitSettings
from scopewatch_training.isolated import ISOLATED_TILES, assess_leaky, score_isolated
from scopewatch_training.splits import Fold, leave_one_run_out
from scopewatch_training.stages import Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """What to cross-validate and how.

    Parameters
    ----------
    runs
        Runs that take turns in being held out.
    controls
        Reporter-free runs: never trained on, scored by every fold's bundle. They should read as
        the marker says (nothing), and read high where a network knows only "a cell is here".
    work
        Where the folds' bundles are kept; a fold that is done is not fitted again.
    isolated, leaky
        Whether the isolated-tile network and the random-tile split are measured beside it.
    """

    settings: FitSettings
    runs: tuple[str, ...]
    controls: tuple[str, ...]
    work: Path
    threads: int
    isolated: bool
    leaky: bool


def cross_validate(
    dataset: Dataset, task: CrossValidation, *, now: datetime, stages: Stages
) -> dict[str, Any]:
    """Hold each run out once and return the figures as JSON values.

    Raises
    ------
    ConfigError
        With fewer than two runs, or where a fold cannot be trained.
    """
    folds = leave_one_run_out(task.runs, where=dataset.folder)
    baselines: Baselines | None = None
    fields: list[ScoredField] = []
    others: dict[str, list[ScoredField]] = {}
    controls: dict[str, list[float]] = {run: [] for run in task.controls}
    bundles = []
    for number, fold in enumerate(folds, start=1):
        title = f"fold {number} of {len(folds)}, {fold.test[0]} held out"
        bundle = _fit_fold(dataset, fold, task, title, now, stages)
        rule = read_label_rule(bundle)
        bundles.append(bundle)
        fields += score_fields(bundle, dataset, fold.test, rule, task.threads)
        for run in task.controls:
            controls[run].append(_mean_positive(bundle, dataset, run, task.threads))
        baselines = baselines or Baselines(
            dataset=dataset, labels=rule.labels, jobs=task.threads, seed=task.settings.seed
        )
        train, test = dataset.of_runs(fold.train), dataset.of_runs(fold.test)
        per_pair = rule.thresholds.per_pair(train) | rule.thresholds.per_pair(test)
        stages.say(f"{title}: baselines")
        scored = dict(baselines.score(train, test, per_pair))
        if task.isolated:
            scored[ISOLATED_TILES] = score_isolated(
                dataset, fold.train, fold.test, rule, task.settings, stages
            )
        for name, found in scored.items():
            others.setdefault(name, []).extend(found)
    rng = np.random.default_rng(task.settings.seed)
    pooled = assess(fields, rng)
    beside = {name: assess(found, rng, repeats=0) for name, found in others.items()}
    figures = {
        "folds": [
            {
                "held_out": list(fold.test),
                "model_id": bundle.card.model_id,
                "threshold": bundle.card.threshold,
                "int8_against_float": read_fit(bundle.folder)["int8_against_float"],
            }
            for fold, bundle in zip(folds, bundles, strict=True)
        ],
        "settings": task.settings.to_json(),
        "simulated": dataset.simulated,
        "negative_controls": {
            run: {"mean_positive_fraction": float(np.mean(shares))}
            for run, shares in controls.items()
        },
        **pooled.to_json(beside),
    }
    if task.leaky:
        rule = read_label_rule(bundles[0])
        leaky = assess_leaky(dataset, task.runs, rule, task.settings, stages)
        figures["leakage_gap"] = _gap(leaky, pooled)
    return figures


def _fit_fold(
    dataset: Dataset,
    fold: Fold,
    task: CrossValidation,
    title: str,
    now: datetime,
    stages: Stages,
) -> Bundle:
    """Fit a fold, or take the bundle that an earlier call finished."""
    name = f"without-{fold.test[0]}"
    out = task.work / name
    request = FitRequest(
        settings=task.settings,
        runs=fold.train,
        held_out=fold.test,
        name=name,
        description=f"Cross-validation: {fold.test[0]} held out.",
        work=task.work / f"{name}.work",
        threads=task.threads,
    )
    if (out / REPORT_FOLDER / FIT_FILE).is_file():
        record = read_fit(out)
        same = record["data_sha256"] == dataset.data_sha256
        if same and record["settings"] == request.settings.to_json():
            stages.say(f"{title}: done before, taken from {out}")
            return load_bundle(out)
    stages.say(title)
    return fit(dataset, out, request, now=now, stages=stages)


def _mean_positive(bundle: Bundle, dataset: Dataset, run: str, threads: int) -> float:
    """Mean raw positive fraction of a run, over its frames."""
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)
    shares = []
    for pair in dataset.of_runs([run]):
        grid = TileGrid(height=pair.height, width=pair.width, tile_px=bundle.card.tile_px)
        scores = scorer.score(np.asarray(dataset.view(pair), dtype=np.float32))
        tiles = TileScores(grid=grid, probability=scores, valid=grid.whole())
        share = positive_fraction(tiles, bundle.card.threshold)
        if share is not None:
            shares.append(share)
    return float(np.mean(shares))


def _gap(leaky: Assessment, honest: Assessment) -> dict[str, Any]:
    """How much the random-tile split flatters."""
    one, two = leaky.pooled.tile, honest.pooled.tile
    return {
        "random_tiles": {"roc_auc": one.roc_auc, "pr_auc": one.pr_auc, "f1": one.f1},
        "roc_auc": one.roc_auc - two.roc_auc,
        "pr_auc": one.pr_auc - two.pr_auc,
        "f1": one.f1 - two.f1,
    }
