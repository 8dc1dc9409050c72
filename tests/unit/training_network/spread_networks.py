"""Untrained networks whose scores spread as those of trained ones do."""

import keras
import numpy as np

from scopewatch_training.network.architecture import build_network
from scopewatch_training.network.calibrate import Platt
from scopewatch_training.network.network_spec import NetworkSpec
from scopewatch_training.network.quantise import fold_calibration
from tests.unit.training.tiny_data import make_frames


def spread_network(spec: NetworkSpec, seed: int = 0) -> keras.Model:
    """Return a network whose normalisation has seen some frames, with logits spread about 0."""
    network = build_network(spec, seed)
    views = np.stack([frame.view[:, :] for frame in make_frames(3)])[..., None]
    for _ in range(20):
        network(views, training=True)
    logits = np.asarray(network(views, training=False)["tile"])
    slope = 2 / float(logits.std())
    fold_calibration(network, Platt(slope=slope, intercept=-slope * float(logits.mean())))
    return network
