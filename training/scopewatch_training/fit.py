"""`fit`: from a data set to a quantised, gated bundle."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras

from scopewatch.core.card import QualityCard
from scopewatch.core.ports import Scorer
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.batches import TrainingFrame
from scopewatch_training.binarise import Thresholds, fit_thresholds
from scopewatch_training.bundle_writer import REPORT_FOLDER, refuse_foreign, write_bundle
from scopewatch_training.calibrate import Platt
from scopewatch_training.cards import CardFacts, held_out_figures, make_card
from scopewatch_training.cross_fit import CrossFit, cross_fit, label_scores, probabilities
from scopewatch_training.dataset import Dataset
from scopewatch_training.fit_record import FIT_FILE, FLOAT_FILE, SCORER_BUDGET_MB
from scopewatch_training.fit_settings import FitSettings
from scopewatch_training.frames import frames_of, refuse_one_class, score_frames
from scopewatch_training.gate import Agreement, compare_scores, refuse_disagreement
from scopewatch_training.limits import learn_limits
from scopewatch_training.quantise import convert_int8, fold_calibration, save_float
from scopewatch_training.splits import inner_folds
from scopewatch_training.stages import Stages
from scopewatch_training.train_loop import Training, predict_logits, train


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What to fit, on which runs, and what to call it.

    Parameters
    ----------
    runs
        Training runs.
    held_out
        Runs that were set aside, named on the card; nothing here looks at them.
    work
        Folder of the checkpoints; removed when the bundle is written.
    threads
        CPU threads of the scorer.
    """

    settings: FitSettings
    runs: tuple[str, ...]
    held_out: tuple[str, ...]
    name: str
    description: str
    work: Path
    threads: int


def fit(
    dataset: Dataset, out: Path, request: FitRequest, *, now: datetime, stages: Stages
) -> Bundle:
    """Train on whole runs and write the bundle.

    Inner folds settle early stopping, calibration, threshold and error rates; then one network
    is trained on all training runs for as many steps as was best, quantised, and let through
    only when it says what its float network says.

    Raises
    ------
    ConfigError
        When the data do not allow it, or `out` holds something else.
    ModelError
        When quantising changes the scores too much.
    """
    refuse_foreign(out)
    settings = request.settings
    pairs = dataset.of_runs(request.runs)
    thresholds = fit_thresholds(pairs, settings.binarise)
    frames = frames_of(dataset, pairs, thresholds)
    refuse_one_class(frames, dataset.folder)
    facts = CardFacts(
        name=request.name,
        description=request.description,
        network=settings.network,
        labels=settings.labels,
        thresholds=thresholds,
        trained_on=request.runs,
        held_out=request.held_out,
        created_at=now,
    )

    def open_scorer(model: bytes) -> Scorer:
        provisional = make_card(
            dataset, facts, model, threshold=0.5, errors=None, quality=QualityCard(), metrics={}
        )
        bundle = Bundle(folder=out, card=provisional, model=model)
        return TFLiteScorer(bundle, threads=request.threads, memory_budget_mb=SCORER_BUDGET_MB)

    made_of = fingerprint(dataset, request)
    inner = cross_fit(
        frames,
        inner_folds(pairs, settings.inner_folds),
        settings,
        clip=dataset.normalisation.clip,
        folder=request.work,
        made_of=made_of,
        open_scorer=open_scorer,
        stages=stages,
    )
    network = _train_on_all(frames, inner, request, made_of, dataset.normalisation.clip, stages)
    fold_calibration(network, inner.platt)
    stages.say("quantising the final network")
    model = convert_int8(network, frames, settings.labels.tile_px)
    exact = label_scores(frames, predict_logits(network, frames), settings)
    calibrated = Platt(slope=1.0, intercept=0.0)
    agreement = compare_scores(
        [probabilities(frame, calibrated) for frame in exact],
        score_frames(open_scorer(model), frames, settings.labels),
        inner.threshold,
    )
    refuse_disagreement(agreement, "training runs", network, settings.network, model, frames[0])
    card = make_card(
        dataset,
        facts,
        model,
        threshold=inner.threshold,
        errors=inner.errors,
        quality=learn_limits(pairs),
        metrics=held_out_figures(inner.scored, inner.threshold, inner.errors),
    )
    write_bundle(out, model, card)
    _write_report(out / REPORT_FOLDER, network, dataset, request, thresholds, inner, agreement)
    shutil.rmtree(request.work, ignore_errors=True)
    return load_bundle(out)


def fingerprint(dataset: Dataset, request: FitRequest) -> str:
    """Sixteen hex digits over everything that a checkpoint depends on."""
    parts = [request.settings.fingerprint(), dataset.data_sha256, *request.runs]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _train_on_all(
    frames: list[TrainingFrame],
    inner: CrossFit,
    request: FitRequest,
    made_of: str,
    clip: float,
    stages: Stages,
) -> keras.Model:
    training = Training(
        settings=request.settings,
        frames=frames,
        held_out=(),
        clip=clip,
        last_step=inner.step,
        checkpoint=request.work / "all.npz",
        made_of=f"{made_of}/all/{inner.step}",
    )
    with stages.training("final network, all training runs", inner.step) as listener:
        return train(training, listener).network


def _write_report(
    folder: Path,
    network: keras.Model,
    dataset: Dataset,
    request: FitRequest,
    thresholds: Thresholds,
    inner: CrossFit,
    agreement: Agreement,
) -> None:
    """Keep what the fit was made of beside the bundle: settings, thresholds, float weights."""
    record: dict[str, Any] = {
        "settings": request.settings.to_json(),
        "runs": list(request.runs),
        "held_out": list(request.held_out),
        "data_sha256": dataset.data_sha256,
        "thresholds": thresholds.to_json(),
        "steps": inner.step,
        "calibration": asdict(inner.platt),
        "int8_against_float": {
            "inner_folds": [asdict(each) for each in inner.agreements],
            "final": asdict(agreement),
        },
    }
    (folder / FIT_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    save_float(network, folder / FLOAT_FILE)
