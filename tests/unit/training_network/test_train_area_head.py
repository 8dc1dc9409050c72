"""The area head as the second output: shares of squares a quarter as wide as a tile."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network.architecture import build_network, has_area_head
from scopewatch_training.network.area_output import add_squares
from scopewatch_training.network.calibrate import Platt
from scopewatch_training.network.ensemble import build_untrained, join_networks
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.int8_network import Int8Network
from scopewatch_training.network.network_spec import NetworkSpec
from scopewatch_training.network.quantise import (
    convert_int8,
    float_weights,
    fold_calibration,
    load_float,
)
from scopewatch_training.network.train_loop import predict_logits
from tests.unit.inference.bundles import make_view
from tests.unit.training.tiny_data import make_frames
from tests.unit.training_network.spread_networks import spread_network

pytestmark = pytest.mark.training

SMALL = NetworkSpec(tile_px=16, width=16, depth=1)
JOINED = FitSettings(network=SMALL, labels=LabelSettings(tile_px=16), members=2)


@pytest.fixture(scope="module")
def networks() -> list[keras.Model]:
    """Two networks of one kind."""
    return [spread_network(SMALL, seed) for seed in range(2)]


def test_tiles_are_the_first_output_and_squares_the_second(networks: list[keras.Model]) -> None:
    for network in (networks[0], join_networks(networks, SMALL)):
        model = convert_int8(network, make_frames(3), SMALL.tile_px)

        opened = Interpreter(model_content=model)
        (frame,) = opened.get_input_details()
        opened.resize_tensor_input(frame["index"], [1, 48, 64, 1])
        opened.allocate_tensors()

        tiles, squares = opened.get_output_details()
        assert tiles["shape"].tolist() == [1, 3, 4, 1]
        assert squares["shape"].tolist() == [1, 12, 16, 1]
        assert tiles["quantization"] == squares["quantization"] == (1 / 256, -128)


def test_the_scores_of_tiles_are_those_of_the_network_without_an_area_head(
    networks: list[keras.Model],
) -> None:
    network = networks[0]
    alone = keras.Model(network.input, {"tile": network.get_layer("tile").output})
    view = make_view(96, 112)[None, ..., None]

    one, two = (
        Int8Network(convert_int8(each, make_frames(3), SMALL.tile_px)).run(view)
        for each in (alone, network)
    )

    assert not has_area_head(alone)
    np.testing.assert_array_equal(one, two)
    assert len(np.unique(one)) > 10


def test_int8_squares_are_near_the_float_ones(networks: list[keras.Model]) -> None:
    model = convert_int8(networks[0], make_frames(3), SMALL.tile_px)
    view = np.asarray(make_frames(1)[0].view[:, :])[None, ..., None]

    squares = squares_of(model, view)

    exact = 1 / (1 + np.exp(-np.asarray(networks[0](view, training=False)["area"])))
    assert np.abs(squares - exact).max() < 0.1
    assert np.abs(squares - exact).mean() < 0.02
    assert exact.std() > 0.02


@pytest.mark.parametrize("learns", ["labels", "brightness"])
def test_the_squares_of_joined_networks_have_the_mean_of_their_logits(
    learns: Literal["labels", "brightness"],
) -> None:
    spec = replace(SMALL, learns=learns)
    networks = [build_network(spec, seed) for seed in range(2)]
    view = make_view(48, 64)[None, ..., None]

    joined = join_networks(networks, spec)

    logits = [np.asarray(each(view, training=False)["area"]) for each in networks]
    found = np.asarray(joined(view, training=False)["area"])
    np.testing.assert_allclose(found, np.mean(logits, axis=0), atol=1e-4)


@pytest.mark.parametrize("with_area", [False, True])
def test_joined_networks_of_an_earlier_version_are_read_without_an_area_head(
    with_area: bool, tmp_path: Path
) -> None:
    stored = build_untrained(JOINED, with_area=with_area)
    (tmp_path / "float.npz").write_bytes(float_weights(stored))

    again = load_float(JOINED, tmp_path / "float.npz")

    frames = make_frames(1)
    np.testing.assert_array_equal(predict_logits(again, frames), predict_logits(stored, frames))
    assert has_area_head(again) == with_area
    model = convert_int8(again, make_frames(3), SMALL.tile_px)
    assert len(Interpreter(model_content=model).get_output_details()) == 1 + with_area


def test_squares_are_added_to_a_file_whose_tiles_stay_bit_for_bit(
    networks: list[keras.Model],
) -> None:
    for network in (networks[0], join_networks(networks, SMALL)):
        donor = convert_int8(network, make_frames(3), SMALL.tile_px)
        other = keras.models.clone_model(network)
        other.set_weights(network.get_weights())
        # Its tiles score otherwise, with the same features.
        fold_calibration(other, Platt(slope=0.7, intercept=0.1))
        alone = keras.Model(other.input, {"tile": other.get_layer("tile").output})
        before = convert_int8(alone, make_frames(3), SMALL.tile_px)
        view = make_view(96, 112)[None, ..., None]

        after = add_squares(before, donor)

        one, two, third = (Int8Network(each).run(view) for each in (before, after, donor))
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, third)
        np.testing.assert_array_equal(squares_of(after, view), squares_of(donor, view))
        outputs = Interpreter(model_content=after).get_output_details()
        assert len({each["name"] for each in outputs}) == 2


def test_squares_of_another_network_or_of_other_frames_are_refused(
    networks: list[keras.Model],
) -> None:
    network = networks[0]
    alone = keras.Model(network.input, {"tile": network.get_layer("tile").output})
    deeper = spread_network(replace(SMALL, depth=2))
    donor = convert_int8(network, make_frames(3), SMALL.tile_px)
    other_frames = convert_int8(alone, make_frames(1), SMALL.tile_px)

    for model in (convert_int8(deeper, make_frames(3), SMALL.tile_px), donor):
        with pytest.raises(ModelError, match=r"squares can only be added .* outputs\)"):
            add_squares(model, donor)
    with pytest.raises(ModelError, match=r"expected ranges within 0\.1%, got a step of"):
        add_squares(other_frames, donor)


def squares_of(model: bytes, view: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the second output of an int8 network, 0 to 1."""
    opened = Interpreter(model_content=model)
    (frame,) = opened.get_input_details()
    opened.resize_tensor_input(frame["index"], view.shape)
    opened.allocate_tensors()
    scale, zero_point = frame["quantization"]
    codes = np.clip(np.rint(view / scale) + zero_point, -128, 127).astype(np.int8)
    opened.set_tensor(frame["index"], codes)
    opened.invoke()
    codes = opened.get_tensor(opened.get_output_details()[1]["index"])
    return np.asarray((codes.astype(np.float32) + 128) / 256, dtype=np.float32)
