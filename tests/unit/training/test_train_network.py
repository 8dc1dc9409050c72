"""Networks, their int8 export and the gate."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from itertools import pairwise, product
from typing import Literal

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, ModelError
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.agreement import compare_scores
from scopewatch_training.bundle.gate import layer_errors, refuse_disagreement
from scopewatch_training.network.architecture import build_network, build_scorer
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import Platt, ScoredFrame
from scopewatch_training.network.device import leave_out_warnings, tensorflow_version
from scopewatch_training.network.network_spec import (
    STEMS,
    NetworkSpec,
    plan_layers,
    receptive_field_px,
)
from scopewatch_training.network.quantise import convert_int8, fold_calibration, logit_shift
from scopewatch_training.network.train_loop import predict_logits
from tests.unit.inference.bundles import make_view, tiny_bundle
from tests.unit.training.tiny_data import make_frames
from tests.unit.training_network.spread_networks import spread_network

pytestmark = pytest.mark.training

SMALL = NetworkSpec(tile_px=16, width=16, depth=1, stem="halvings")


def tiles_that_change(network: keras.Model, side_px: int, top: int, left: int) -> set[int]:
    """Return the flat indices of tiles that one changed pixel changes."""
    view = np.zeros((1, side_px, side_px, 1), np.float32)
    changed = view.copy()
    changed[0, top, left, 0] = 6.0
    one, two = (np.asarray(network(each, training=False)["tile"]) for each in (view, changed))
    return set(np.flatnonzero(one != two).tolist())


@pytest.mark.parametrize("tile_px", [8, 16, 32, 64])
@pytest.mark.parametrize("context", ["full", "none"])
def test_one_output_is_one_tile(tile_px: int, context: Literal["full", "none"]) -> None:
    spec = replace(SMALL, tile_px=tile_px, depth=0, context=context)
    outputs = build_network(spec, 0)(np.zeros((1, 2 * tile_px, 3 * tile_px, 1), np.float32))

    assert outputs["tile"].shape == (1, 2, 3, 1)
    assert outputs["area"].shape == (1, 8, 12, 1)


def test_where_brightness_is_learnt_nothing_comes_after_the_squares_it_is_learnt_on() -> None:
    labels = replace(SMALL, tile_px=32)
    spec = replace(labels, learns="brightness")

    plan, whole = plan_layers(spec), plan_layers(labels)

    assert plan == whole[: len(plan)]
    outputs = build_network(spec, 0)(np.zeros((1, 64, 96, 1), np.float32))
    assert outputs["tile"].shape == (1, 2, 3, 1)
    assert outputs["area"].shape == (1, 8, 12, 1)
    np.testing.assert_allclose(
        outputs["tile"][0, 0, 0, 0], np.mean(outputs["area"][0, :4, :4, 0]), atol=1e-6
    )


@pytest.mark.parametrize("setting", [{"context": "wide"}, {"learns": "colours"}])
def test_unknown_names_of_settings_are_refused(setting: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="network is outside the family: "):
        NetworkSpec(**setting)  # type: ignore[arg-type]


def test_nothing_crosses_the_border_of_an_isolated_tile() -> None:
    spec = replace(SMALL, depth=2, context="none")
    network = spread_network(spec)

    assert receptive_field_px(spec) == 16
    for top, left in ((0, 0), (15, 15), (16, 31), (47, 0)):
        assert tiles_that_change(network, 48, top, left) <= {(top // 16) * 3 + left // 16}


def test_no_tile_sees_beyond_the_receptive_field_and_some_see_as_far() -> None:
    field = receptive_field_px(SMALL)
    network = spread_network(SMALL)
    side, tile = 320, 160
    reach = (field - 16) // 2 + 16
    seen = tiles_that_change(network, side, tile, tile)

    rows = {index // 20 for index in seen}
    assert min(rows) * 16 + 16 + reach >= tile
    assert max(rows) * 16 - (field - 16) <= tile
    assert len(rows) >= 3


def test_channels_are_multiples_that_int8_kernels_use() -> None:
    for width, stem in product((16, 48, 64, 128), STEMS):
        plan = plan_layers(NetworkSpec(width=width, stem=stem))  # type: ignore[arg-type]
        assert all(layer.channels % 16 == 0 for layer in plan)
        assert all(one.channels <= two.channels for one, two in pairwise(plan))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tile_px": 24}, "tile size is not supported: tile_px (expected one of 8, 16, 32"),
        ({"width": 20}, "network is outside the family: width, depth (expected a width that is"),
        ({"depth": -1}, "got width 48, depth -1"),
    ],
)
def test_a_network_outside_the_family_is_refused(fields: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        NetworkSpec(**fields)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_the_exported_sigmoid_is_the_sigmoid() -> None:
    network = spread_network(SMALL)
    view = make_view(128, 128)[None, ..., None]

    drawn = build_scorer(network)(view, training=False)

    exact = 1 / (1 + np.exp(-np.asarray(network(view, training=False)["tile"])))
    np.testing.assert_allclose(np.asarray(drawn["tile"]), exact, atol=0.004)


def test_folding_a_calibration_is_applying_it() -> None:
    network = spread_network(SMALL)
    frames = make_frames(1)
    before = predict_logits(network, frames)[0]

    fold_calibration(network, Platt(slope=0.7, intercept=-0.2))

    np.testing.assert_allclose(predict_logits(network, frames)[0], 0.7 * before - 0.2, atol=1e-4)


@pytest.fixture(scope="module")
def quantised() -> tuple[keras.Model, bytes]:
    """A small network and its int8 file."""
    network = spread_network(SMALL)
    return network, convert_int8(network, make_frames(3), SMALL.tile_px)


def test_every_int8_network_gives_its_probabilities_in_steps_of_one_256th(
    quantised: tuple[keras.Model, bytes],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, model = quantised
    timid = spread_network(SMALL, seed=4)
    fold_calibration(timid, Platt(slope=0.5, intercept=-2.0))
    converted = convert_int8(timid, make_frames(3), SMALL.tile_px)
    # Notices of the converter would stand in the text of the console.
    printed = capfd.readouterr()
    assert "fully_quantize" not in printed.err
    assert "INFO:" not in printed.err
    assert [record.getMessage() for record in caplog.records] == []
    assert printed.out == ""

    for each in (model, converted):
        for output in Interpreter(model_content=each).get_output_details():
            assert output["quantization"] == (1 / 256, -128)


def test_int8_scores_are_near_the_float_ones(quantised: tuple[keras.Model, bytes]) -> None:
    network, model = quantised
    squares = {"side_px": 4, "offset": 0.0, "of_square": 1.0, "of_tile": 0.0}
    template = tiny_bundle(fine_stain=squares)
    bundle = type(template)(folder=template.folder, card=template.card, model=model)
    frame = make_frames(1)[0]

    coded = TFLiteScorer(bundle, threads=1, memory_budget_mb=64).score(frame.view[:, :])

    exact = 1 / (1 + np.exp(-predict_logits(network, [frame])[0]))
    assert np.abs(coded - exact).max() < 0.1
    assert np.abs(coded - exact).mean() < 0.02


def test_the_gate_names_the_layer_where_the_networks_differ(
    quantised: tuple[keras.Model, bytes],
) -> None:
    network, model = quantised
    other = keras.models.clone_model(network)
    other.set_weights(network.get_weights())
    layer = other.get_layer("level2_0")
    layer.set_weights([-weight for weight in layer.get_weights()])
    frame = make_frames(1)[0]
    labels = np.array([[0, 1, 0, 1] * 8], np.int8)
    good = ScoredFrame(id="a", run="r", labels=labels, scores=np.array([[0.1, 0.9, 0.2, 0.8] * 8]))
    bad = ScoredFrame(id="a", run="r", labels=labels, scores=np.array([[0.9, 0.1, 0.2, 0.8] * 8]))

    refuse_disagreement(compare_scores([good], [good], 0.5), "w", network, SMALL, model, frame)
    with pytest.raises(ModelError) as caught:
        refuse_disagreement(compare_scores([good], [bad], 0.5), "run1", other, SMALL, model, frame)

    assert str(caught.value).startswith("int8 network differs from float32, most in layer level2_0")
    assert "at most 6 tiles called otherwise: limits for frames of about 32 tiles, 1 in all" in str(
        caught.value
    )
    assert "got AUC 0.2500 (float 1.0000)" in str(caught.value)


def test_errors_of_layers_are_small_for_a_network_that_quantises_well(
    quantised: tuple[keras.Model, bytes],
) -> None:
    network, model = quantised

    errors = layer_errors(network, SMALL, model, make_frames(1)[0])

    names = [layer.name for layer in plan_layers(SMALL)]
    assert list(errors) == [*names, "ramps", "probability"]
    assert max(errors[name] for name in names) < 0.15


def test_the_version_of_tensorflow_is_known_however_it_was_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", unknown)

    assert re.fullmatch(r"2\.\d+\.\d+.*", tensorflow_version())


def test_what_rounding_shifts_all_logits_by_is_taken_away(
    quantised: tuple[keras.Model, bytes],
) -> None:
    network, model = quantised
    frames = make_frames(3)

    assert abs(logit_shift(network, model, views_of(frames))) < 0.01


def test_a_shift_of_all_logits_is_measured(quantised: tuple[keras.Model, bytes]) -> None:
    network, model = quantised
    lowered = keras.models.clone_model(network)
    lowered.set_weights(network.get_weights())
    fold_calibration(lowered, Platt(slope=1.0, intercept=-0.3))

    shift = logit_shift(lowered, model, views_of(make_frames(3)))

    # One tile's weight pulls it towards 0.
    assert shift == pytest.approx(0.3, abs=0.02)


def views_of(frames: Sequence[TrainingFrame]) -> Iterator[list[NDArray[np.float32]]]:
    """Views as the network takes them, one at a time."""
    for frame in frames:
        yield [np.asarray(frame.view[:, :], dtype=np.float32)[None, ..., None]]


def test_tensorflow_warns_of_nothing_that_a_user_can_change() -> None:
    leave_out_warnings()
    assert not logging.getLogger("tensorflow").isEnabledFor(logging.WARNING)
