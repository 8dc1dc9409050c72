"""Gate: refuses an int8 network that differs from its float network; names the layer."""

from typing import Protocol

import keras
import numpy as np

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.analyse import Scorer
from scopewatch_training.bundle.agreement import Agreement
from scopewatch_training.network.architecture import build_scorer
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.int8_network import Int8Network
from scopewatch_training.network.network_spec import NetworkSpec, ensemble_prefixes, plan_layers


class OpenScorer(Protocol):
    """Opens int8 networks the way the daemon does."""

    def __call__(self, model: bytes) -> Scorer:
        """Return a scorer for a TFLite file."""
        ...


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
            expected=agreement.describe_limits(),
            got=agreement.describe(),
            do="call it again, in the same folders, with more --steps, another --seed or more data",
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
    taps += [scorer.get_layer(name).output for name in ("ramps_relu", "probability")]
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
