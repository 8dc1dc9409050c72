"""Weights of 7 bits, whose products fit into 16 bits two by two."""

import keras
import numpy as np
import pytest
from tensorflow.lite.tools import flatbuffer_utils

from scopewatch_training.network import quantise
from scopewatch_training.network.int8_network import Int8Network
from scopewatch_training.network.narrow_weights import TOP, narrow_weights
from scopewatch_training.network.network_spec import NetworkSpec
from scopewatch_training.network.quantise import convert_int8
from tests.unit.inference.bundles import make_view
from tests.unit.training.tiny_data import make_frames
from tests.unit.training_network.spread_networks import spread_network

pytestmark = pytest.mark.training

SMALL = NetworkSpec(tile_px=16, width=16, depth=1)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return spread_network(SMALL)


def largest_weight(model: bytes) -> int:
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    graph = content.subgraphs[0]
    weights = [
        np.frombuffer(bytes(content.buffers[graph.tensors[int(step.inputs[1])].buffer].data), "i1")
        for step in graph.operators
        if len(step.inputs) == 3
    ]
    return max(int(np.abs(each.astype(int)).max()) for each in weights)


def test_no_two_products_saturate_and_the_scores_stay_near(network: keras.Model) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantise, "narrow_weights", bytes)
        model = convert_int8(network, make_frames(3), SMALL.tile_px)

    narrow = narrow_weights(model)

    assert largest_weight(model) == 127
    assert largest_weight(narrow) == TOP
    assert np.iinfo(np.int16).max >= 2 * 255 * TOP
    view = make_view(96, 112)[None, ..., None]
    one, two = (Int8Network(each).run(view) for each in (model, narrow))
    assert 0 < np.abs(one - two).max() < 0.15
    assert np.abs(one - two).mean() < 0.02


def test_the_shift_of_rounding_is_removed_from_the_narrow_network(network: keras.Model) -> None:
    narrow = convert_int8(network, make_frames(3), SMALL.tile_px)

    assert largest_weight(narrow) == TOP
    view = np.asarray(make_frames(1)[0].view[:, :])[None, ..., None]
    exact = 1 / (1 + np.exp(-np.asarray(network(view, training=False)["tile"])))
    found = Int8Network(narrow).run(view)
    assert np.abs(found - exact).mean() < 0.03
    assert abs(float(np.mean(found - exact))) < 0.02
