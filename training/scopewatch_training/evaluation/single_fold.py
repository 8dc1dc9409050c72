"""One outer fold of a cross-validation: fit on its training runs, score the run it holds out."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import keras
import numpy as np

from scopewatch.core.errors import ModelError
from scopewatch.core.imaging.efficiency import positive_fraction
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER
from scopewatch_training.bundle.cross_fit import INNER_FOLDS
from scopewatch_training.bundle.fit import FitRequest, fit
from scopewatch_training.bundle.fit_record import FIT_FILE, SCORER_BUDGET_MB, read_fit
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import Fold, leave_one_run_out
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.evaluation.baselines import Baselines
from scopewatch_training.evaluation.evaluate import score_fields
from scopewatch_training.evaluation.isolated import (
    ISOLATED_TILES,
    ComparisonRequest,
    score_isolated,
)
from scopewatch_training.evaluation.shared_networks import OTHER_FOLDS, fit_shared, train_network
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.stages import Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """Request of a cross-validation: runs, settings and comparisons.

    Parameters
    ----------
    runs
        Runs that take turns in being held out.
    controls
        Reporter-free runs: never trained on, scored by every fold's bundle. They should read
        near 0; they read high where a network has learnt cells and not the marker.
    work
        Where the folds' bundles are kept; a fold that is done is not fitted again.
    threads, jobs
        `jobs` folds are worked on at a time, each by a process with its share of the threads.
    isolated, leaky
        Whether the isolated-tile network and the random-tile split are measured beside it.
    shared
        Whether folds share their networks, see `shared_networks`; else each is a whole fit.
    cluster
        Where folds are worked on, each with all `threads`; None: here.
    """

    settings: FitSettings
    runs: tuple[str, ...]
    controls: tuple[str, ...]
    work: Path
    threads: int
    isolated: bool
    leaky: bool
    jobs: int = 1
    shared: bool = False
    cluster: ClusterAddress | None = None

    def requests(self) -> list[FitRequest]:
        """Return what each fold fits, in the order of `leave_one_run_out`."""
        requests = []
        for fold in leave_one_run_out(self.runs):
            name = f"without-{fold.test[0]}"
            requests.append(
                FitRequest(
                    settings=self.settings,
                    runs=fold.train,
                    held_out=fold.test,
                    name=name,
                    description=f"Cross-validation: {fold.test[0]} held out.",
                    work=self.work if self.shared else self.work / f"{name}.work",
                    threads=self.threads,
                )
            )
        return requests


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldOutcome:
    """Scores that a fold's bundle gave to the run it never saw.

    Parameters
    ----------
    bundle
        Its folder.
    others
        The same fields scored by the baselines, by name.
    controls
        Mean raw positive fraction of each negative control.
    """

    bundle: Path
    fields: list[ScoredField]
    others: dict[str, list[ScoredField]]
    controls: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldWithoutBundle:
    """A fold whose network did not pass its gate: the run that it holds out has no figures."""

    reason: str


FoldResult = FoldOutcome | FoldWithoutBundle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldContext:
    """What all folds of a call share.

    Parameters
    ----------
    now
        Aware UTC, for the cards.
    """

    dataset: Dataset
    task: CrossValidation
    now: datetime


def run_fold(
    context: FoldContext, fold: Fold, title: str, *, baselines: Baselines, stages: Stages
) -> FoldResult:
    """Fit on the fold's training runs and score the run that it holds out.

    A fold that comes to no bundle is returned, not raised: hours of other folds may follow.
    """
    # Keras numbers layers through a process, and the model file holds their names. After a reset
    # a fold gives the same file in any process.
    keras.utils.clear_session()
    dataset, task = context.dataset, context.task
    try:
        bundle = _fit_fold(context, fold, title, stages)
    except ModelError as error:
        stages.report(f"{title}: has no bundle, {error}")
        return FoldWithoutBundle(reason=str(error))
    rule = read_label_rule(bundle)
    fields = score_fields(bundle, dataset, fold.test, rule, task.threads)
    controls = {run: _mean_positive(bundle, dataset, run, task.threads) for run in task.controls}
    train, test = dataset.of_runs(fold.train), dataset.of_runs(fold.test)
    per_pair = rule.thresholds.per_pair(train) | rule.thresholds.per_pair(test)
    stages.report(f"{title}: baselines")
    others = dict(baselines.score(train, test, per_pair))
    if task.isolated:
        request = ComparisonRequest(
            dataset=dataset, rule=rule, settings=task.settings, work=task.work, stages=stages
        )
        others[ISOLATED_TILES] = score_isolated(request, fold.train, fold.test)
    return FoldOutcome(bundle=bundle.folder, fields=fields, others=others, controls=controls)


def train_shared(context: FoldContext, fold: Fold, stages: Stages) -> None:
    """Train the network of a fold that shares it, unless the fold is done already."""
    keras.utils.clear_session()
    dataset, task = context.dataset, context.task
    request = _request(fold, task)
    if _finished(dataset, task.work / request.name, request, task) is None:
        train_network(dataset, task.work / request.name, request, now=context.now, stages=stages)


def _fit_fold(context: FoldContext, fold: Fold, title: str, stages: Stages) -> Bundle:
    """Fit a fold, or take the bundle that an earlier call finished."""
    dataset, task = context.dataset, context.task
    request = _request(fold, task)
    out = task.work / request.name
    finished = _finished(dataset, out, request, task)
    if finished is not None:
        stages.report(f"{title}: done before, taken from {out}")
        return finished
    stages.report(title)
    if task.shared:
        return fit_shared(dataset, out, request, task.requests(), now=context.now, stages=stages)
    return fit(dataset, out, request, now=context.now, stages=stages)


def _request(fold: Fold, task: CrossValidation) -> FitRequest:
    return next(each for each in task.requests() if each.held_out == fold.test)


def _finished(
    dataset: Dataset, out: Path, request: FitRequest, task: CrossValidation
) -> Bundle | None:
    """Return the bundle that an earlier call made of the very same fold."""
    if not (out / REPORT_FOLDER / FIT_FILE).is_file():
        return None
    record = read_fit(out)
    same = (
        record["data_sha256"] == dataset.data_sha256
        and record["runs"] == list(request.runs)
        and record["settings"] == request.settings.to_json()
        and record["calibrated_by"] == (OTHER_FOLDS if task.shared else INNER_FOLDS)
    )
    return load_bundle(out) if same else None


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


def baselines_of(dataset: Dataset, task: CrossValidation) -> Baselines:
    """Return the baselines that the folds' bundles are compared with."""
    return Baselines(
        dataset=dataset, labels=task.settings.labels, jobs=task.threads, seed=task.settings.seed
    )
