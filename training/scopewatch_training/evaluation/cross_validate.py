"""`cross-validate`: each run held out once, a whole fit on the others, all figures on it."""

from datetime import datetime
from typing import Any

import numpy as np

from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.cross_fit import INNER_FOLDS
from scopewatch_training.bundle.fit_record import read_fit
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.bundle.shared_pictures import (
    describe_shared_pictures,
    refuse_copied_runs,
)
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import leave_one_run_out
from scopewatch_training.evaluation.assessment import Assessment, ScoredField, assess
from scopewatch_training.evaluation.folds import run_folds
from scopewatch_training.evaluation.isolated import ComparisonRequest, assess_leaky
from scopewatch_training.evaluation.shared_networks import OTHER_FOLDS
from scopewatch_training.evaluation.single_fold import CrossValidation
from scopewatch_training.network.stages import Stages


def cross_validate(
    dataset: Dataset, task: CrossValidation, *, now: datetime, stages: Stages
) -> dict[str, Any]:
    """Hold each run out once and return the figures as JSON values.

    Raises
    ------
    ConfigError
        With fewer than two runs, where a run is a copy of others, or a fold cannot be trained.
    """
    folds = leave_one_run_out(task.runs, where=dataset.folder)
    for fold in folds:
        refuse_copied_runs(dataset, fold.train, fold.test)
    notes = describe_shared_pictures(dataset, task.runs)
    for note in notes:
        stages.report(note)
    outcomes = run_folds(dataset, folds, task, now=now, stages=stages)
    bundles = [load_bundle(outcome.bundle) for outcome in outcomes]
    fields = [field for outcome in outcomes for field in outcome.fields]
    others: dict[str, list[ScoredField]] = {}
    for outcome in outcomes:
        for name, found in outcome.others.items():
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
        "calibrated_by": OTHER_FOLDS if task.shared else INNER_FOLDS,
        "notes": list(notes),
        "simulated": dataset.simulated,
        "negative_controls": {
            run: {
                "mean_positive_fraction": float(
                    np.mean([outcome.controls[run] for outcome in outcomes])
                )
            }
            for run in task.controls
        },
        **pooled.to_json(beside),
    }
    if task.leaky:
        rule = read_label_rule(bundles[0])
        request = ComparisonRequest(
            dataset=dataset, rule=rule, settings=task.settings, work=task.work, stages=stages
        )
        leaky = assess_leaky(request, task.runs)
        figures["leakage_gap"] = _gap(leaky, pooled)
    return figures


def _gap(leaky: Assessment, honest: Assessment) -> dict[str, Any]:
    """Return how much better the split over random tiles looks."""
    one, two = leaky.pooled.tile, honest.pooled.tile
    return {
        "random_tiles": {"roc_auc": one.roc_auc, "pr_auc": one.pr_auc, "f1": one.f1},
        "roc_auc": one.roc_auc - two.roc_auc,
        "pr_auc": one.pr_auc - two.pr_auc,
        "f1": one.f1 - two.f1,
    }
