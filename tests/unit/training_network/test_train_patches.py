"""Networks whose frame is first cut into patches."""

import json
from dataclasses import replace
from typing import Literal

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.gate import layer_errors
from scopewatch_training.network.architecture import build_network
from scopewatch_training.network.ensemble import join_networks
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import (
    PATCHES,
    TILE_SIDES_PX,
    USUAL_SIZES,
    NetworkSpec,
    plan_layers,
    receptive_field_px,
)
from scopewatch_training.network.quantise import convert_int8
from tests.unit.inference.bundles import make_view, tiny_bundle
from tests.unit.training.tiny_data import make_frames
from tests.unit.training_network.spread_networks import spread_network

pytestmark = pytest.mark.training

SMALL = NetworkSpec(tile_px=32, width=16, depth=1, stem="patches")


@pytest.fixture(scope="module")
def quantised() -> tuple[keras.Model, bytes]:
    """A small network and its int8 file."""
    network = spread_network(SMALL)
    return network, convert_int8(network, make_frames(3), SMALL.tile_px)


def open_scorer(model: bytes, spec: NetworkSpec) -> TFLiteScorer:
    """Open an int8 network the way the daemon does, by a card of its own."""
    squares = {"side_px": spec.tile_px // 4, "offset": 0.0, "of_square": 1.0, "of_tile": 0.0}
    bundle = tiny_bundle(
        tile_px=spec.tile_px, receptive_field_px=receptive_field_px(spec), fine_stain=squares
    )
    opened = type(bundle)(folder=bundle.folder, card=bundle.card, model=model)
    return TFLiteScorer(opened, threads=1, memory_budget_mb=256)


@pytest.mark.parametrize("tile_px", TILE_SIDES_PX)
@pytest.mark.parametrize("context", ["full", "none"])
@pytest.mark.parametrize("learns", ["labels", "brightness"])
def test_one_output_is_one_tile_and_the_area_head_sees_quarters(
    tile_px: int, context: Literal["full", "none"], learns: Literal["labels", "brightness"]
) -> None:
    spec = replace(SMALL, tile_px=tile_px, depth=0, context=context, learns=learns)

    outputs = build_network(spec, 0)(np.zeros((1, 2 * tile_px, 3 * tile_px, 1), np.float32))

    assert outputs["tile"].shape == (1, 2, 3, 1)
    assert outputs["area"].shape == (1, 8, 12, 1)


def test_each_pixel_of_a_patch_has_a_channel_of_its_own() -> None:
    patches = build_network(SMALL, 0).get_layer(PATCHES)
    frame = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)

    cut = np.asarray(patches(frame))

    assert cut.shape == (1, 4, 4, 4)
    np.testing.assert_array_equal(cut[0, 1, 2].reshape(2, 2), frame[0, 2:4, 4:6, 0])


@pytest.mark.parametrize(("tile_px", "side_px"), [(8, 1), (16, 2), (32, 2), (64, 2), (128, 2)])
def test_patches_and_halvings_together_come_to_a_tile(tile_px: int, side_px: int) -> None:
    spec = replace(SMALL, tile_px=tile_px)

    assert spec.patch_px == side_px
    assert replace(spec, stem="halvings").patch_px == 1
    halvings = sum(layer.stride == 2 for layer in plan_layers(spec))
    assert side_px * 2**halvings == tile_px


@pytest.mark.parametrize("tile_px", [16, 32, 64])
def test_no_tile_sees_beyond_the_margin_of_its_strip(tile_px: int) -> None:
    spec = replace(SMALL, tile_px=tile_px)
    network = spread_network(spec)
    margin = -(-(receptive_field_px(spec) - 1) // (2 * tile_px))
    tiles = 2 * margin + 5
    view = np.zeros((1, tiles * tile_px, tiles * tile_px, 1), np.float32)
    plain = np.asarray(network(view, training=False)["tile"])[0, ..., 0]
    middle = tiles // 2
    rows = set()
    for inside in (0, tile_px - 1):
        changed = view.copy()
        changed[0, middle * tile_px + inside, middle * tile_px + inside, 0] = 6.0
        scores = np.asarray(network(changed, training=False)["tile"])[0, ..., 0]
        rows |= {int(row) - middle for row in np.nonzero(scores != plain)[0]}

    assert {-1, 0, 1} <= rows
    assert max(map(abs, rows)) <= margin


def test_nothing_crosses_the_border_of_an_isolated_tile() -> None:
    spec = replace(SMALL, context="none", depth=2)
    network = spread_network(spec)
    view = make_view(96, 96)[None, ..., None]
    changed = view.copy()
    changed[0, 32:64, 32:64, 0] += 2.0

    one, two = (np.asarray(network(each, training=False)["tile"]) for each in (view, changed))

    assert receptive_field_px(spec) == spec.tile_px
    assert set(np.flatnonzero(one != two)) == {4}


def test_a_frame_in_strips_scores_as_in_one_piece(quantised: tuple[keras.Model, bytes]) -> None:
    _, model = quantised
    view = make_view(1003, 150)
    tiles, squares = open_scorer(model, SMALL).score_finely(view)
    scorer = open_scorer(model, SMALL)
    for rows in (2 * scorer._margin + 1, 2 * scorer._margin + 4, 20):
        scorer._budget_mb = scorer._bytes_per_px * 160 * (rows + 0.5) * SMALL.tile_px / 1e6

        for got, whole in zip(scorer.score_finely(view), (tiles, squares), strict=True):
            np.testing.assert_array_equal(got, whole)
    assert tiles.std() > 0.05
    assert squares is not None
    assert squares.std() > 0.05


def test_the_layers_of_the_int8_network_are_compared_by_name(
    quantised: tuple[keras.Model, bytes],
) -> None:
    network, model = quantised

    errors = layer_errors(network, SMALL, model, make_frames(1)[0])

    names = [layer.name for layer in plan_layers(SMALL)]
    assert list(errors) == [*names, "ramps", "probability"]
    assert names[0] == "down2"
    assert max(errors[name] for name in names) < 0.2


def test_the_int8_network_has_only_operations_that_both_runtimes_know(
    quantised: tuple[keras.Model, bytes],
) -> None:
    _, model = quantised

    kinds = {each["op_name"] for each in Interpreter(model_content=model)._get_ops_details()}

    assert kinds - {"DELEGATE"} == {"CONV_2D", "LOGISTIC", "SPACE_TO_DEPTH"}


def test_the_network_of_patches_costs_less_than_a_third_of_the_products() -> None:
    def products(spec: NetworkSpec) -> float:
        """Products a pixel of the frame takes."""
        count, area, channels = 0.0, 1 / spec.patch_px**2, spec.patch_px**2
        for layer in plan_layers(spec):
            area /= layer.stride**2
            count += area * layer.kernel**2 * channels * layer.channels
            channels = layer.channels
        return count

    usual = USUAL_SIZES["halvings"]
    halvings = NetworkSpec(stem="halvings", width=usual.width, depth=usual.depth)

    assert products(halvings) * 2048**2 == pytest.approx(19.8e9, rel=0.01)
    assert products(NetworkSpec()) * 2048**2 == pytest.approx(5.7e9, rel=0.01)


def test_a_runtime_that_plans_as_it_opens_finds_a_size_that_patches_can_be_cut_from(
    quantised: tuple[keras.Model, bytes],
) -> None:
    _, model = quantised

    (frame,) = Interpreter(model_content=model).get_input_details()

    assert frame["shape"].tolist() == [1, 32, 32, 1]
    assert frame["shape_signature"].tolist() == [-1, -1, -1, 1]


def test_joined_networks_are_cut_into_patches_each() -> None:
    networks = [build_network(SMALL, seed) for seed in range(2)]
    view = make_view(64, 96)[None, ..., None]

    joined = join_networks(networks, SMALL)

    logits = [np.asarray(each(view, training=False)["tile"]) for each in networks]
    found = np.asarray(joined(view, training=False)["tile"])
    np.testing.assert_allclose(found, np.mean(logits, axis=0), atol=1e-4)


def test_settings_of_an_earlier_version_are_those_of_a_network_of_halvings() -> None:
    spec = NetworkSpec(stem="halvings", width=96, depth=2)
    values = json.loads(json.dumps(FitSettings(network=spec, steps=700).to_json()))
    del values["network"]["stem"]

    assert FitSettings.from_json(values).network == spec
    assert FitSettings.from_json(values).steps == 700


def test_what_earlier_settings_leave_out_is_as_it_was() -> None:
    values = json.loads(json.dumps(FitSettings().to_json()))
    del values["steps"]

    chosen = FitSettings.from_json(values | {"network": {"tile_px": 32}})

    assert chosen.network == NetworkSpec(stem="halvings", width=64, depth=3)
    assert chosen.steps == 500


def test_settings_without_sizes_have_those_of_their_stem() -> None:
    values = json.loads(json.dumps(FitSettings().to_json()))
    del values["steps"]

    chosen = FitSettings.from_json(values | {"network": {"stem": "patches"}})

    assert chosen == FitSettings()
