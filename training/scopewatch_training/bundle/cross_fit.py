"""Inner folds: networks that score training runs they were not trained on.

Each group of training runs is held out once. Its scores decide early stopping, calibration and
threshold, and measure error rates and the difference between int8 and float32. No run that is held
out outside is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch_training.bundle.agreement import Agreement
from scopewatch_training.bundle.chance import doubt_before_gate, doubt_labels
from scopewatch_training.bundle.float_scores import label_scores, probabilities
from scopewatch_training.bundle.gate import OpenScorer
from scopewatch_training.bundle.quantised import quantise
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import (
    Platt,
    ScoredFrame,
    choose_threshold,
    fit_platt,
    measure_errors,
)
from scopewatch_training.network.ensemble import train_ensemble
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.quantise import fold_calibration
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import Trained, Training, predict_logits

INNER_FOLDS: Final = "inner folds"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """Calibration, threshold, errors and steps that held-out scores gave.

    Parameters
    ----------
    step
        Number of steps after which a network is best, median over folds.
    scored
        All training frames, scored by the int8 network of the fold that held their run out.
    agreements
        int8 against float32, for each fold on its held-out runs.
    calibrated_by
        Source of the held-out scores: `inner folds`, or `networks of the other folds`.
    """

    platt: Platt
    threshold: float
    errors: HeldOutErrors
    step: int
    scored: tuple[ScoredFrame, ...]
    agreements: tuple[Agreement, ...]
    calibrated_by: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fold:
    """One inner fold after training."""

    title: str
    trained: Trained
    train: list[TrainingFrame]
    test: list[TrainingFrame]
    logits: list[ScoredFrame]


def cross_fit(
    frames: Sequence[TrainingFrame],
    folds: Sequence[tuple[list[int], list[int]]],
    settings: FitSettings,
    *,
    clip: float,
    folder: Path,
    fingerprint: str,
    open_scorer: OpenScorer,
    stages: Stages,
) -> CrossFit:
    """Train one network for each fold and learn from their held-out scores.

    Parameters
    ----------
    folds
        (indices of frames to train on, indices to hold out), as of `splits.inner_folds`.
    folder
        Where checkpoints are kept; a fold that is done is not trained again.
    fingerprint
        Fingerprint of settings and data that checkpoints must carry.

    Raises
    ------
    ModelError
        When a fold's int8 network differs from its float network; where the held-out scores are
        hardly better than chance, it says that instead.
    """
    done = []
    for number, (train_indices, test_indices) in enumerate(folds, start=1):
        title = f"inner fold {number} of {len(folds)}"
        fold_train = [frames[index] for index in train_indices]
        fold_test = [frames[index] for index in test_indices]
        training = Training(
            settings=settings,
            frames=fold_train,
            held_out=fold_test,
            clip=clip,
            last_step=settings.steps,
            checkpoint=folder / f"inner{number}.npz",
            fingerprint=f"{fingerprint}/{number}/{len(folds)}",
        )
        trained = train_ensemble(training, title, stages)
        logits = label_scores(fold_test, predict_logits(trained.network, fold_test), settings)
        done.append(
            _Fold(title=title, trained=trained, train=fold_train, test=fold_test, logits=logits)
        )
    platt = fit_platt([frame for fold in done for frame in fold.logits])
    held = "runs" if len({frame.run for frame in frames}) > 1 else "wells"
    quantised = []
    for fold in done:
        stages.report(f"{fold.title}: quantising and scoring the {held} it held out")
        fold_calibration(fold.trained.network, platt)
        quantised.append(
            quantise(
                fold.trained.network,
                settings,
                training=fold.train,
                frames=fold.test,
                exact=[probabilities(frame, platt) for frame in fold.logits],
                open_scorer=open_scorer,
            )
        )
    learnt = learn_decision(
        platt,
        [frame for each in quantised for frame in each.rounded],
        step=round(median(fold.trained.step for fold in done)),
        calibrated_by=INNER_FOLDS,
    )
    doubt = doubt_labels([frame for fold in done for frame in fold.logits], "inner folds")
    if doubt is not None:
        stages.report(doubt)
    agreements = []
    for fold, each in zip(done, quantised, strict=True):
        where = f"{fold.title}, {each.where}"
        with doubt_before_gate(doubt):
            agreements.append(each.pass_gate(learnt.threshold, where))
        stages.report(f"{where}: int8 against float32, {agreements[-1].describe()}")
    return replace(learnt, agreements=tuple(agreements))


def learn_decision(
    platt: Platt, scored: Sequence[ScoredFrame], *, step: int, calibrated_by: str
) -> CrossFit:
    """Choose the threshold of calibrated scores, and measure the errors that it makes.

    Parameters
    ----------
    scored
        Probabilities of frames whose runs the scoring network was not trained on.
    """
    threshold = choose_threshold(scored)
    return CrossFit(
        platt=platt,
        threshold=threshold,
        errors=measure_errors(scored, threshold),
        step=step,
        scored=tuple(scored),
        agreements=(),
        calibrated_by=calibrated_by,
    )
