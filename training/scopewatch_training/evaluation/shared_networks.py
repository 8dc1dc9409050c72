"""Cross-validation folds that share their networks: one network per run instead of several.

A whole fit trains inner networks only to learn, on runs they never saw, how scores become
probabilities and where the threshold lies. In a cross-validation such scores are there already:
each run was scored by the network of the fold that holds it out. Fold k takes its calibration,
threshold and error rates from the held-out scores of all runs but k.

No label of run k sets its own threshold. But the networks that gave the other scores were trained
on run k among others. Whole nested fits avoid that, at four times the training.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from scopewatch.files import whole_file
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.chance import doubt_before_gate, doubt_labels
from scopewatch_training.bundle.cross_fit import CrossFit, learn_decision
from scopewatch_training.bundle.fit import FitInputs, FitRequest, finish, load_inputs, train_whole
from scopewatch_training.bundle.float_scores import label_scores, probabilities
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.network.calibrate import ScoredFrame, fit_platt
from scopewatch_training.network.frames import frames_of
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import predict_logits

OTHER_FOLDS: Final = "networks of the other folds"


def fit_shared(
    dataset: Dataset,
    out: Path,
    request: FitRequest,
    requests: Sequence[FitRequest],
    *,
    now: datetime,
    stages: Stages,
) -> Bundle:
    """Make the bundle of one fold, training only the networks that no earlier fold has trained.

    Parameters
    ----------
    request
        Of this fold.
    requests
        Of all folds; each holds one run out, and `work` is one folder for all.

    Raises
    ------
    ConfigError
        When the data do not allow it, or `out` holds something else.
    ModelError
        When quantising changes the scores of the held-out run too much.
    """
    inputs = load_inputs(dataset, out, request, now=now)
    logits: dict[str, NDArray[np.float32]] = {}
    for other in requests:
        if other.held_out != request.held_out:
            logits |= _held_out_logits(load_inputs(dataset, out, other, now=now), stages)
    found = [logits[frame.id] for frame in inputs.frames]
    scored = label_scores(inputs.frames, found, request.settings)
    network = _network(inputs, stages)
    held_out = frames_of(
        dataset, dataset.of_runs(request.held_out), inputs.thresholds, request.settings.labels
    )
    doubt = doubt_labels(scored, "other folds")
    if doubt is not None:
        stages.report(doubt)
    with doubt_before_gate(doubt):
        return finish(inputs, network, _calibrate(scored, request), held_out, stages)


def train_network(
    dataset: Dataset, out: Path, request: FitRequest, *, now: datetime, stages: Stages
) -> None:
    """Train the network of a fold, or go on from its checkpoint, and keep the checkpoint."""
    _network(load_inputs(dataset, out, request, now=now), stages)


def _calibrate(logits: Sequence[ScoredFrame], request: FitRequest) -> CrossFit:
    platt = fit_platt(logits)
    return learn_decision(
        platt,
        [probabilities(frame, platt) for frame in logits],
        step=request.settings.steps,
        calibrated_by=OTHER_FOLDS,
    )


def _network(inputs: FitInputs, stages: Stages) -> keras.Model:
    (held_out,) = inputs.request.held_out
    steps = inputs.request.settings.steps
    return train_whole(inputs, f"shared-{held_out}", f"network without {held_out}", steps, stages)


def _held_out_logits(inputs: FitInputs, stages: Stages) -> dict[str, NDArray[np.float32]]:
    """Return the tile logits of a fold's held-out frames, by the pair's id; kept on disk."""
    request = inputs.request
    (held_out,) = request.held_out
    file = request.work / f"shared-{held_out}-{inputs.fingerprint}.logits.npz"
    if not file.is_file():
        frames = frames_of(
            inputs.dataset,
            inputs.dataset.of_runs(request.held_out),
            inputs.thresholds,
            request.settings.labels,
        )
        found = predict_logits(_network(inputs, stages), frames)
        arrays: dict[str, Any] = {frame.id: each for frame, each in zip(frames, found, strict=True)}
        with whole_file(file, shared=True) as part, part.open("wb") as opened_part:
            np.savez(opened_part, **arrays)
    with np.load(file, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
