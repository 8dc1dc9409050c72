"""Ensembles: networks trained from different seeds and joined to one, whose logit is their mean.

A network that learns from few positive tiles depends much on its seed: on the order of crops and
on its first weights. The mean of several depends less (deep ensembles; Lakshminarayanan et al.,
NeurIPS 2017), and costs as many times more. The joined network holds them in parallel, from the
frame to the tile head. Calibration, quantisation, gate and daemon treat it as any network.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from scopewatch_training.network.architecture import (
    AREA_HEAD,
    TILE_HEAD,
    build_network,
    grow_layers,
)
from scopewatch_training.network.checkpoint import make_way
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec, ensemble_prefixes
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import Trained, Training, train

# Farther apart than the seeds that people try, which are 0, 1, 2 and so on.
SEEDS_APART: Final = 1000


def train_ensemble(training: Training, title: str, stages: Stages) -> Trained:
    """Train the networks that the settings ask for, one after another, and join them.

    Each has its own seed, batches and checkpoint, so that an interrupted call goes on with the
    network that it was training.

    Returns
    -------
    The network; the median of the steps that their weights are from; the mean of their held-out
    losses, each taken alone.
    """
    count = training.settings.members
    done = []
    for index in range(count):
        named = title if count == 1 else f"{title}, network {index + 1} of {count}"
        member = _training_of(training, index)
        aside = member.checkpoint and make_way(member.checkpoint, member.fingerprint)
        if aside:
            stages.report(f"{named}: other settings or data than before; those are kept in {aside}")
        with stages.training(named, training.last_step) as listener:
            done.append(train(member, listener))
    if not training.settings.joins:
        return done[0]
    losses = [each.held_out_loss for each in done if each.held_out_loss is not None]
    return Trained(
        network=join_networks([each.network for each in done], training.settings.network),
        step=round(median(each.step for each in done)),
        held_out_loss=float(np.mean(losses)) if losses else None,
    )


def join_networks(networks: Sequence[keras.Model], spec: NetworkSpec) -> keras.Model:
    """Join networks of one kind: the logits of a tile and of a square are the means of theirs.

    Returns
    -------
    Model from (N, H, W, 1) float32 to what `build_network` gives.
    """
    joined = _build_joined(spec, len(networks), with_area=True)
    names = {layer.name for layer in joined.layers}
    for prefix, network in zip(ensemble_prefixes(len(networks)), networks, strict=True):
        for layer in network.layers:
            if layer.weights and f"{prefix}{layer.name}" in names:
                joined.get_layer(f"{prefix}{layer.name}").set_weights(layer.get_weights())
    for prefix in ensemble_prefixes(len(networks)):
        # Their sum is the mean.
        area = joined.get_layer(f"{prefix}{AREA_HEAD}")
        area.set_weights([weight / len(networks) for weight in area.get_weights()])
    if spec.learns == "brightness":
        # A mean over the squares of a tile is a convolution with equal weights.
        kernel, bias = _mean_head(networks, AREA_HEAD)
        equal = np.full((spec.head_side, spec.head_side, 1, 1), 1 / spec.head_side**2)
        joined.get_layer(TILE_HEAD).set_weights([equal * kernel, bias])
    else:
        joined.get_layer(TILE_HEAD).set_weights(_mean_head(networks, TILE_HEAD))
    return joined


def build_untrained(settings: FitSettings, *, with_area: bool = True) -> keras.Model:
    """Build what `train_ensemble` returns, for weights that were stored.

    Parameters
    ----------
    with_area
        False for joined networks of earlier versions, which kept no area head.
    """
    if settings.joins:
        return _build_joined(settings.network, settings.members, with_area=with_area)
    return build_network(settings.network, settings.seed)


def _training_of(training: Training, index: int) -> Training:
    """Return the training of one network; the first is trained as a single network is."""
    if index == 0:
        return training
    file = training.checkpoint
    return replace(
        training,
        settings=replace(training.settings, seed=training.settings.seed + SEEDS_APART * index),
        checkpoint=file and file.with_stem(f"{file.stem}-{index + 1}"),
        fingerprint=f"{training.fingerprint}/{index + 1}",
    )


def _mean_head(networks: Sequence[keras.Model], name: str) -> list[NDArray[np.float32]]:
    """Return kernel and bias of a head on the features of all, whose logit is the mean."""
    heads = [network.get_layer(name).get_weights() for network in networks]
    kernels, biases = zip(*heads, strict=True)
    return [np.concatenate(kernels, axis=2) / len(networks), np.mean(biases, axis=0)]


def _build_joined(spec: NetworkSpec, count: int, *, with_area: bool) -> keras.Model:
    frame = keras.Input((None, None, 1), name="frame")
    grown = [grow_layers(frame, spec, prefix) for prefix in ensemble_prefixes(count)]
    features, areas = zip(*grown, strict=True)
    together = features[0] if count == 1 else layers.Concatenate(name="members")(features)
    outputs = {}
    outputs[TILE_HEAD] = layers.Conv2D(1, spec.head_side, spec.head_side, name=TILE_HEAD)(together)
    if with_area:
        # Joined before their heads, their features would have to share one range in int8, and
        # tiles would score otherwise.
        outputs[AREA_HEAD] = areas[0] if count == 1 else layers.Add(name=AREA_HEAD)(areas)
    return keras.Model(frame, outputs, name="scopewatch")
