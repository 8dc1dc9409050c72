"""`fit`: from a data set to a quantised, gated bundle."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras

from scopewatch.core.imaging.binarise import Thresholds, fit_thresholds
from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.check_frames import CHECK_NAME
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.agreement import Agreement
from scopewatch_training.bundle.bundle_writer import refuse_foreign, write_bundle
from scopewatch_training.bundle.card_writer import CardFacts, held_out_figures, make_card
from scopewatch_training.bundle.check_writer import choose_check
from scopewatch_training.bundle.cross_fit import CrossFit, cross_fit
from scopewatch_training.bundle.fine_weights import learn_fine_stain, raw_stain
from scopewatch_training.bundle.fit_record import (
    FIT_FILE,
    FLOAT_FILE,
    PREPARED,
    SCORER_BUDGET_MB,
)
from scopewatch_training.bundle.float_scores import score_float
from scopewatch_training.bundle.known_frames import FRAMES_FILE, know_frames
from scopewatch_training.bundle.limits import learn_limits
from scopewatch_training.bundle.quantised import quantise
from scopewatch_training.bundle.shared_pictures import describe_shared_pictures
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import inner_folds
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.ensemble import train_ensemble
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of, refuse_one_class
from scopewatch_training.network.quantise import float_weights, fold_calibration
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Request of a fit: settings, runs, and the name of the bundle.

    Parameters
    ----------
    runs
        Training runs.
    held_out
        Runs that were set aside, named on the card; nothing is learnt from them.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitInputs:
    """A data set made ready for a request: frames of the training runs with their thresholds."""

    dataset: Dataset
    out: Path
    request: FitRequest
    pairs: tuple[Pair, ...]
    thresholds: Thresholds
    frames: list[TrainingFrame]
    facts: CardFacts

    def open_scorer(self, model: bytes) -> TFLiteScorer:
        """Open an int8 network the way the daemon does."""
        provisional = make_card(
            self.dataset,
            self.facts,
            model,
            threshold=0.5,
            fine_stain=raw_stain(self.request.settings.network),
            errors=None,
            quality=QualityCard(),
            metrics={},
        )
        bundle = Bundle(folder=self.out, card=provisional, model=model)
        return TFLiteScorer(bundle, threads=self.request.threads, memory_budget_mb=SCORER_BUDGET_MB)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over everything that a checkpoint depends on."""
        request = self.request
        parts = [request.settings.fingerprint(), self.dataset.data_sha256, *request.runs]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


def load_inputs(dataset: Dataset, out: Path, request: FitRequest, *, now: datetime) -> FitInputs:
    """Fit the thresholds of the training runs, and refuse runs without a positive pixel.

    Raises
    ------
    ConfigError
        When the data do not allow it, a held-out run is a copy of training runs, or `out` holds
        something else.
    """
    refuse_foreign(out)
    settings = request.settings
    pairs = dataset.of_runs(request.runs)
    thresholds = fit_thresholds(pairs, settings.binarise)
    frames = frames_of(dataset, pairs, thresholds, settings.labels)
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
        known_frames=know_frames(dataset, pairs),
        notes=describe_shared_pictures(dataset, request.runs, request.held_out),
    )
    return FitInputs(
        dataset=dataset,
        out=out,
        request=request,
        pairs=pairs,
        thresholds=thresholds,
        frames=frames,
        facts=facts,
    )


def fit(
    dataset: Dataset, out: Path, request: FitRequest, *, now: datetime, stages: Stages
) -> Bundle:
    """Train on whole runs and write the bundle.

    Inner folds decide the number of steps, calibration, threshold and error rates. Then one network
    is trained on all training runs for that many steps and quantised. The gate lets it through only
    where int8 and float32 agree.

    Raises
    ------
    ConfigError
        When the data do not allow it, or `out` holds something else.
    ModelError
        When quantising changes the scores too much.
    """
    inputs = load_inputs(dataset, out, request, now=now)
    for note in inputs.facts.notes:
        stages.report(note)
    inner = cross_fit(
        inputs.frames,
        inner_folds(inputs.pairs, request.settings.inner_folds),
        request.settings,
        clip=dataset.normalisation.clip,
        folder=request.work,
        fingerprint=inputs.fingerprint,
        open_scorer=inputs.open_scorer,
        stages=stages,
    )
    title = "final network, all training runs"
    network = train_whole(inputs, "all", title, inner.step, stages)
    bundle = finish(inputs, network, inner, inputs.frames, stages)
    shutil.rmtree(request.work, ignore_errors=True)
    return bundle


def finish(
    inputs: FitInputs,
    network: keras.Model,
    inner: CrossFit,
    gate_frames: Sequence[TrainingFrame],
    stages: Stages,
) -> Bundle:
    """Calibrate and quantise a trained network, let it through the gate, write the bundle.

    Parameters
    ----------
    gate_frames
        Frames on which int8 and float32 must agree.
    """
    settings = inputs.request.settings
    fold_calibration(network, inner.platt)
    stages.report("quantising the final network")
    quantised = quantise(
        network,
        settings,
        training=inputs.frames,
        frames=gate_frames,
        exact=score_float(network, gate_frames, settings),
        open_scorer=inputs.open_scorer,
    )
    agreement = quantised.pass_gate(inner.threshold, quantised.where)
    stages.report(f"{quantised.where}: int8 against float32, {agreement.describe()}")
    card = make_card(
        inputs.dataset,
        inputs.facts,
        quantised.model,
        threshold=inner.threshold,
        fine_stain=learn_fine_stain(
            inputs.open_scorer(quantised.model), settings.network, inputs.frames
        ),
        errors=inner.errors,
        quality=learn_limits(inputs.pairs),
        metrics=held_out_figures(inner.scored, inner.threshold, inner.errors),
    )
    report = {
        FIT_FILE: _fit_record(inputs, inner, agreement).encode(),
        FLOAT_FILE: float_weights(network),
        CHECK_NAME: choose_check(inputs.open_scorer(quantised.model), inputs.frames),
    }
    if inputs.facts.known_frames is not None:
        report[FRAMES_FILE] = inputs.facts.known_frames.content
    write_bundle(inputs.out, quantised.model, card, report)
    return load_bundle(inputs.out)


def train_whole(
    inputs: FitInputs, name: str, title: str, last_step: int, stages: Stages
) -> keras.Model:
    """Train on all training runs up to a step, with nothing held out to stop it by.

    Parameters
    ----------
    name
        Of the checkpoint in the request's folder, which an interrupted call goes on from.
    """
    request = inputs.request
    training = Training(
        settings=request.settings,
        frames=inputs.frames,
        held_out=(),
        clip=inputs.dataset.normalisation.clip,
        last_step=last_step,
        checkpoint=request.work / f"{name}.npz",
        fingerprint=f"{inputs.fingerprint}/{name}/{last_step}",
    )
    return train_ensemble(training, title, stages).network


def _fit_record(inputs: FitInputs, inner: CrossFit, agreement: Agreement) -> str:
    """Return settings, runs, thresholds and calibration of the fit as JSON."""
    request = inputs.request
    record: dict[str, Any] = {
        "settings": request.settings.to_json(),
        PREPARED: inputs.dataset.settings.to_json(),
        "runs": list(request.runs),
        "held_out": list(request.held_out),
        "calibrated_by": inner.calibrated_by,
        "data_sha256": inputs.dataset.data_sha256,
        "thresholds": inputs.thresholds.to_json(),
        "steps": inner.step,
        "calibration": asdict(inner.platt),
        "int8_against_float": {
            "inner_folds": [asdict(each) for each in inner.agreements],
            "final": asdict(agreement),
        },
    }
    return json.dumps(record, indent=2) + "\n"
