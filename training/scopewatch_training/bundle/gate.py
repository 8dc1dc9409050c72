"""Gate: whether int8 and float network agree, and if not, which layer differs most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.analyse import Scorer
from scopewatch_training.bundle.fit_record import MOST_AUC, MOST_POINTS
from scopewatch_training.network.architecture import build_scorer
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import ScoredFrame
from scopewatch_training.network.int8_network import Int8Network
from scopewatch_training.network.network_spec import NetworkSpec, ensemble_prefixes, plan_layers


class OpenScorer(Protocol):
    """Opens int8 networks the way the daemon does."""

    def __call__(self, model: bytes) -> Scorer:
        """Return a scorer for a TFLite file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far int8 and float32 differ on the same frames.

    Parameters
    ----------
    auc_float, auc_int8
        Area under the ROC curve over tiles; nan where the frames hold one class only.
    mean_points, worst_points
        Mean and largest difference of a frame's raw efficiency, in percentage points.
    worst_probability
        Largest difference of one tile's probability.
    """

    auc_float: float
    auc_int8: float
    mean_points: float
    worst_points: float
    worst_probability: float

    @property
    def holds(self) -> bool:
        """Whether the int8 network may replace the float one."""
        auc = abs(self.auc_float - self.auc_int8)
        return (isnan(auc) or auc <= MOST_AUC) and self.mean_points <= MOST_POINTS

    def describe(self) -> str:
        """Return a phrase on how far the two differ, on average and at worst."""
        return (
            f"AUC {self.auc_int8:.4f} (float {self.auc_float:.4f}), efficiency of a frame"
            f" {self.mean_points:.2f} points apart on average, {self.worst_points:.2f} at worst"
        )


def compare_scores(
    exact: Sequence[ScoredFrame], rounded: Sequence[ScoredFrame], threshold: float
) -> Agreement:
    """Compare float (`exact`) and int8 (`rounded`) probabilities of the same frames."""
    differences, points, truths, floats, int8s = [], [], [], [], []
    for one, two in zip(exact, rounded, strict=True):
        labels, float_scores = one.counted
        _, int8_scores = two.counted
        if labels.size:
            differences.append(float(np.abs(float_scores - int8_scores).max()))
            shares = [np.mean(scores >= threshold) for scores in (float_scores, int8_scores)]
            points.append(100 * abs(float(shares[0] - shares[1])))
            truths.append(labels)
            floats.append(float_scores)
            int8s.append(int8_scores)
    return Agreement(
        auc_float=_auc(truths, floats),
        auc_int8=_auc(truths, int8s),
        mean_points=float(np.mean(points)),
        worst_points=max(points),
        worst_probability=max(differences),
    )


def refuse_disagreement(
    agreement: Agreement,
    where: str,
    network: keras.Model,
    spec: NetworkSpec,
    model: bytes,
    frame: TrainingFrame,
) -> None:
    """Raise ModelError, naming the layer that differs most, unless the agreement holds."""
    if agreement.holds:
        return
    errors = layer_errors(network, spec, model, frame)
    worst = _largest_jump(errors)
    raise ModelError(
        complaint(
            f"int8 network differs from float32, most in layer {worst}"
            f" (relative error up to there {errors[worst]:.1%})",
            where=where,
            expected=f"AUC within {MOST_AUC}, efficiency within {MOST_POINTS} points on average",
            got=agreement.describe(),
            do="fit again to the same --out with more --steps, another --seed, or more frames",
        )
    )


def layer_errors(
    network: keras.Model, spec: NetworkSpec, model: bytes, frame: TrainingFrame
) -> dict[str, float]:
    """Compare every layer on one frame.

    Returns
    -------
    Name of each convolution, in order -> root mean square of (int8 - float32) over that of
    float32. Errors of earlier layers are carried along, so look for where it jumps.
    """
    side = spec.tile_px
    height, width = (length // side * side for length in frame.view.shape)
    view = np.asarray(frame.view[:height, :width], dtype=np.float32)[None, ..., None]
    names = _convolution_names(network, spec)
    taps = [network.get_layer(f"{name}_relu").output for name in names]
    scorer = build_scorer(network)
    taps += [scorer.get_layer("ramps_relu").output, scorer.output]
    exact = keras.Model(network.input, taps)(view, training=False)
    int8 = Int8Network(model, plain=True)
    int8.run(view)
    rounded = int8.convolutions()
    if len(rounded) != len(exact):
        raise ValueError(f"{len(rounded)} int8 convolutions, but {len(exact)} in the network")
    errors = {}
    for name, one, two in zip([*names, "ramps", "probability"], exact, rounded, strict=True):
        truth = np.asarray(one, dtype=np.float32)
        scale = float(np.sqrt(np.mean(np.square(truth))))
        error = float(np.sqrt(np.mean(np.square(truth - two))))
        errors[name] = error / max(scale, 1e-9)
    return errors


def _convolution_names(network: keras.Model, spec: NetworkSpec) -> list[str]:
    """Name the convolutions in the order of the int8 network; joined networks follow each other."""
    plan = [layer.name for layer in plan_layers(spec)]
    members = sum(layer.name.endswith(f"{plan[0]}_relu") for layer in network.layers)
    return [f"{prefix}{name}" for prefix in ensemble_prefixes(members) for name in plan]


def _largest_jump(errors: dict[str, float]) -> str:
    """Name the convolution at which the carried-along error rises most."""
    names = [name for name in errors if name not in ("ramps", "probability")]
    first = names[0].rpartition("_")[2]
    before = [0.0, *(errors[name] for name in names[:-1])]
    before = [0.0 if name.endswith(first) else e for name, e in zip(names, before, strict=True)]
    rises = {name: errors[name] - earlier for name, earlier in zip(names, before, strict=True)}
    return max(rises, key=lambda name: rises[name])


def _auc(labels: list[NDArray[np.int8]], scores: list[NDArray[np.float32]]) -> float:
    truth = np.concatenate(labels)
    both = 0 < np.count_nonzero(truth == 1) < truth.size
    return float(roc_auc_score(truth, np.concatenate(scores))) if both else float("nan")
