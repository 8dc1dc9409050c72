"""Trains one network: steps, running average of the weights, checks, checkpoints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import label_pair
from scopewatch_training.network.architecture import TILE_HEAD, build_network
from scopewatch_training.network.augment import Augmentation
from scopewatch_training.network.batches import BatchPlan, TrainingFrame, prefetch
from scopewatch_training.network.calibrate import ScoredFrame, calibrated_loss
from scopewatch_training.network.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.objective import losses_of
from scopewatch_training.network.stages import Listener

WARM_UP_STEPS = 50
CHECKPOINT_STEPS = 50
# A side that tiles of every size divide.
WHOLE_TILES_PX = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A trained network and the step its weights are from."""

    network: keras.Model
    step: int
    held_out_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Training:
    """Request of one training.

    Parameters
    ----------
    frames
        What is trained on.
    held_out
        Frames of other runs for early stopping; may be empty.
    last_step
        Where to stop when nothing is held out; the schedule still runs over `settings.steps`.
    checkpoint
        File to go on from and to write to; None for neither.
    fingerprint
        Fingerprint that the checkpoint must carry.
    """

    settings: FitSettings
    frames: Sequence[TrainingFrame]
    held_out: Sequence[TrainingFrame]
    clip: float
    last_step: int
    checkpoint: Path | None
    fingerprint: str


class _State:
    """Network, optimiser and averages, as one thing to save and restore."""

    def __init__(self, settings: FitSettings) -> None:
        self.network = build_network(settings.network, settings.seed)
        rise = min(WARM_UP_STEPS, max(1, settings.steps // 10))
        self.schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, settings.steps - rise),
            warmup_target=settings.learning_rate,
            warmup_steps=rise,
        )
        # Given the schedule, the optimiser would compute it again for each variable.
        self.rate = tf.Variable(0.0, trainable=False)
        self.optimiser = keras.optimizers.AdamW(
            lambda: self.rate, weight_decay=settings.weight_decay
        )
        self.optimiser.build(self.network.trainable_variables)
        self.average = [tf.Variable(weight.value) for weight in self.network.weights]
        self.best: list[NDArray[Any]] = []
        self.best_step = 0
        self.best_loss = float("inf")
        self.stale = 0
        self.step = 0

    def save(self, path: Path, fingerprint: str) -> None:
        facts = {
            "step": self.step,
            "best_step": self.best_step,
            "best_loss": self.best_loss if self.best else None,
            "stale": self.stale,
        }
        arrays = {
            "weights": [np.asarray(weight) for weight in self.network.weights],
            "optimiser": [np.asarray(value) for value in self.optimiser.variables],
            "average": [value.numpy() for value in self.average],
            "best": self.best,
        }
        save_checkpoint(path, Checkpoint(fingerprint=fingerprint, facts=facts, arrays=arrays))

    def restore(self, stored: Checkpoint) -> None:
        self.network.set_weights(stored.arrays["weights"])
        for variable, value in zip(
            self.optimiser.variables, stored.arrays["optimiser"], strict=True
        ):
            variable.assign(value)
        for average, value in zip(self.average, stored.arrays["average"], strict=True):
            average.assign(value)
        self.best = stored.arrays["best"]
        self.best_step = stored.facts["best_step"]
        best_loss = stored.facts["best_loss"]
        self.best_loss = float("inf") if best_loss is None else best_loss
        self.stale, self.step = stored.facts["stale"], stored.facts["step"]


def train(training: Training, listener: Listener) -> Trained:
    """Train a network, or go on from its checkpoint.

    With held-out frames the weights of the check with the lowest tile loss are returned, and
    training stops once `patience` checks brought none lower. Without, the averaged weights of
    `last_step` are.
    """
    settings = training.settings
    state = _State(settings)
    stored = (
        load_checkpoint(training.checkpoint, training.fingerprint) if training.checkpoint else None
    )
    stop = settings.steps if training.held_out else training.last_step
    finished = False
    if stored is not None:
        state.restore(stored)
        stale = bool(training.held_out) and state.stale >= settings.patience
        finished = stale or state.step == stop
        (listener.found_trained if finished else listener.resumed)(state.step)
    held_out = _held_out_loss(state.network, settings, training.held_out)
    plan = BatchPlan(
        frames=training.frames,
        batch=settings.batch,
        crop_px=settings.crop_px,
        augmentation=Augmentation(strength=settings.augmentation, clip=training.clip),
        seed=settings.seed,
        graded=settings.network.learns == "brightness",
    )
    advance = _step_function(state, settings)
    check_at = {round(settings.steps * i / settings.checks) for i in range(1, settings.checks + 1)}
    with prefetch(plan, state.step, state.step if finished else stop) as batches:
        for batch in batches:
            # An average over the first steps would be one of the random start.
            momentum = min(settings.averaging, (1 + state.step) / (10 + state.step))
            loss = advance(batch.view, batch.marker, batch.known, tf.constant(momentum))
            state.step += 1
            listener.stepped(state.step, float(loss))
            if training.held_out and state.step in check_at:
                _check(state, held_out, listener)
            done = state.step == stop or (training.held_out and state.stale >= settings.patience)
            if training.checkpoint and (state.step % CHECKPOINT_STEPS == 0 or done):
                state.save(training.checkpoint, training.fingerprint)
            if done:
                break
    if training.held_out:
        state.network.set_weights(state.best)
        return Trained(network=state.network, step=state.best_step, held_out_loss=state.best_loss)
    state.network.set_weights([value.numpy() for value in state.average])
    return Trained(network=state.network, step=state.step, held_out_loss=None)


def _step_function(state: _State, settings: FitSettings) -> Callable[..., Any]:
    """Return the compiled optimiser step."""
    network, optimiser = state.network, state.optimiser

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def advance(view: Any, marker: Any, known: Any, momentum: Any) -> Any:
        state.rate.assign(state.schedule(optimiser.iterations))
        with tf.GradientTape() as tape:
            outputs = network(view, training=True)
            shown, total = losses_of(outputs, marker, known, settings)
        gradients = tape.gradient(total, network.trainable_variables)
        optimiser.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        for average, weight in zip(state.average, network.weights, strict=True):
            average.assign(momentum * average + (1 - momentum) * weight)
        return shown

    return advance  # type: ignore[no-any-return]


def _held_out_loss(
    network: keras.Model, settings: FitSettings, frames: Sequence[TrainingFrame]
) -> Callable[[], float]:
    """Return a function that gives the mean tile loss over whole held-out frames.

    The logits are calibrated on these frames first, since the kept network is calibrated later.
    Otherwise settings with class weights would seem worse.
    """
    labels = [
        label_pair(frame.signal[:, :], frame.threshold, settings.labels)[1] for frame in frames
    ]
    logits_of = logit_function(network)

    def loss() -> float:
        scored = [
            ScoredFrame(
                id=frame.id, run=frame.run, labels=truth, scores=logits_of(frame.view[:, :])
            )
            for frame, truth in zip(frames, labels, strict=True)
        ]
        return calibrated_loss(scored)

    return loss


def _check(state: _State, held_out: Callable[[], float], listener: Listener) -> None:
    """Try the averaged weights on the held-out frames and keep them when they are better."""
    current = state.network.get_weights()
    averaged = [value.numpy() for value in state.average]
    state.network.set_weights(averaged)
    loss = held_out()
    better = loss < state.best_loss
    if better:
        state.best, state.best_step, state.best_loss = averaged, state.step, loss
    state.stale = 0 if better else state.stale + 1
    state.network.set_weights(current)
    listener.checked(state.step, loss, best=better)


def predict_logits(
    network: keras.Model, frames: Sequence[TrainingFrame]
) -> list[NDArray[np.float32]]:
    """Return the tile logits of whole frames, each (rows, cols), partial tiles included."""
    logits_of = logit_function(network)
    return [logits_of(frame.view[:, :]) for frame in frames]


def logit_function(
    network: keras.Model,
) -> Callable[[NDArray[np.floating]], NDArray[np.float32]]:
    """Return a function from a (H, W) view to (rows, cols) tile logits, as the weights are then."""
    scorer = keras.Model(network.input, network.get_layer(TILE_HEAD).output)
    stride = _stride(network)

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def run(view: Any) -> Any:
        return scorer(view, training=False)

    def logits_of(view: NDArray[np.floating]) -> NDArray[np.float32]:
        plane = np.asarray(view, dtype=np.float32)
        padded = np.pad(plane, [(0, -side % stride) for side in plane.shape])
        return np.asarray(run(padded[None, ..., None]))[0, ..., 0].astype(np.float32)

    return logits_of


def _stride(network: keras.Model) -> int:
    shapes = network.compute_output_shape((1, WHOLE_TILES_PX, WHOLE_TILES_PX, 1))
    return int(WHOLE_TILES_PX // shapes[TILE_HEAD][1])
