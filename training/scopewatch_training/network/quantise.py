"""Converts a trained network to a full int8 TFLite file."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.notices import without_notices
from scopewatch_training.network.architecture import (
    AREA_HEAD,
    TILE_HEAD,
    build_scorer,
)
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import Platt
from scopewatch_training.network.ensemble import build_untrained
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.int8_network import Int8Network
from scopewatch_training.network.narrow_weights import narrow_weights

RANGE_FRAMES = 48
SHIFT_FRAMES = 16
REPRESENTATIVE_SIDE_PX = 1024
# Half a step of the output: the value of its lowest step.
_LOWEST = 1 / 512


class _Steps(keras.layers.Layer):  # type: ignore[misc]
    """Fixes the quantisation of an output for every network: 256 steps from `lowest` to `highest`.

    Otherwise the frames that set the ranges give each network steps of its own. A threshold halfway
    between two steps of one network then lies at a step of another. Where many tiles are near it,
    as they are where probabilities are small, their efficiencies differ by a point.
    """

    def __init__(self, lowest: float, highest: float, **options: Any) -> None:
        super().__init__(**options)
        self.lowest, self.highest = lowest, highest

    def call(self, plane: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_args(plane, self.lowest, self.highest)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "lowest": self.lowest, "highest": self.highest}


def fold_calibration(network: keras.Model, platt: Platt) -> None:
    """Put a calibration into the weights of the tile head, which is linear in its logit."""
    head = network.get_layer(TILE_HEAD)
    kernel, bias = head.get_weights()
    head.set_weights([kernel * platt.slope, bias * platt.slope + platt.intercept])


def convert_int8(network: keras.Model, frames: Sequence[TrainingFrame], tile_px: int) -> bytes:
    """Convert a network to a TFLite file with int8 weights, activations, input and outputs.

    The first output are the tiles; the second, where the network has an area head, the squares.
    Weights use 7 of their 8 bits, so that no runtime's products saturate on any processor; see
    `network.narrow_weights`.

    Rounding shifts all logits by nearly the same amount. The shift is measured on a first
    conversion and removed in a second (bias correction; Nagel et al., ICCV 2019).

    Parameters
    ----------
    frames
        Frames of training runs; up to 48 of them, evenly chosen, set the activations' ranges, and
        up to 16 measure the shift of the logits.
    """

    def convert(lift: float) -> bytes:
        return narrow_weights(_convert(build_scorer(network, lift=lift), frames, tile_px))

    shift = logit_shift(network, convert(0.0), _representative(frames, tile_px, SHIFT_FRAMES))
    return convert(-shift)


def logit_shift(
    network: keras.Model, model: bytes, views: Iterable[Sequence[NDArray[np.float32]]]
) -> float:
    """Return by how much the int8 logits of tiles lie above the float ones, on average.

    Tiles weigh by p (1 - p): where the probability is near 0 or 1 a shift does not change the
    output. One tile's weight without a shift is added, so that few tiles alone do not decide.
    """
    logits = keras.Model(network.input, network.get_layer(TILE_HEAD).output)
    int8 = Int8Network(model)
    total, weight = 0.0, 1.0
    for (view,) in views:
        exact = np.asarray(logits(view, training=False), dtype=np.float64)
        rounded = np.clip(int8.run(view).astype(np.float64), _LOWEST, 1 - _LOWEST)
        probability = 1 / (1 + np.exp(-exact))
        each = probability * (1 - probability)
        total += float(np.sum(each * (np.log(rounded / (1 - rounded)) - exact)))
        weight += float(np.sum(each))
    return total / weight


def _convert(scorer: keras.Model, frames: Sequence[TrainingFrame], tile_px: int) -> bytes:
    outputs = dict(scorer.output)
    outputs[TILE_HEAD] = _Steps(0.0, 255 / 256, name="codes")(outputs[TILE_HEAD])
    if AREA_HEAD in outputs:
        # Steps of 0.05 of the logit are at most 0.0125 of a share.
        logits = _Steps(-6.4, 6.35, name="logits")(outputs[AREA_HEAD])
        outputs[AREA_HEAD] = keras.layers.Activation("sigmoid", name="squares")(logits)
    rounded = keras.Model(scorer.input, outputs)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, name="frame")],
        autograph=False,
    )
    def run(view: Any) -> Any:
        return rounded(view, training=False)

    # By way of a SavedModel it takes five times as long, with the same operations and weights.
    traced = run.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], rounded)
    converter.experimental_lower_to_saved_model = False
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _representative(frames, tile_px, RANGE_FRAMES)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with warnings.catch_warnings(), without_notices():
        # It asks for the range of the input, which the representative frames give.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        model: bytes = converter.convert()
    return _with_ends(model, tile_px)


def _with_ends(model: bytes, tile_px: int) -> bytes:
    """Put the tiles first among the outputs, and give the input the size of a tile.

    The converter writes an input of 1 x 1 px, which cannot be cut into patches: tflite-runtime,
    which plans as it opens a file, refuses that. Frames of any size can be set as before.
    """
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    graph = content.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = [1, tile_px, tile_px, 1]
    squares = _outputs_of(content, schema.BuiltinOperator.LOGISTIC)
    graph.outputs = sorted(graph.outputs, key=lambda tensor: tensor in squares)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def _outputs_of(content: Any, operation: int) -> set[int]:
    """Return the tensors that operations of one kind write."""
    codes = content.operatorCodes
    return {
        int(tensor)
        for each in content.subgraphs[0].operators
        if codes[each.opcodeIndex].builtinCode == operation
        for tensor in each.outputs
    }


def _representative(
    frames: Sequence[TrainingFrame], tile_px: int, most: int
) -> Iterator[list[NDArray[np.float32]]]:
    """Yield normalised views, cut to whole tiles and to a size that bounds memory."""
    if not frames:
        raise ModelError(
            complaint("no frame to set int8 ranges by", where="training runs", do="add frames")
        )
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), most))
    for index in np.unique(chosen.round().astype(int)):
        view = frames[index].view
        height, width = (
            min(side, REPRESENTATIVE_SIDE_PX) // tile_px * tile_px for side in view.shape
        )
        yield [np.asarray(view[:height, :width], dtype=np.float32)[None, ..., None]]


def float_weights(network: keras.Model) -> bytes:
    """Return the float weights as a .npz file: a bundle can be quantised again without training."""
    weights: dict[str, Any] = {
        f"{index:03d}": np.asarray(weight) for index, weight in enumerate(network.weights)
    }
    file = BytesIO()
    np.savez_compressed(file, **weights)
    return file.getvalue()


def load_float(settings: FitSettings, path: Path) -> keras.Model:
    """Build the network of some settings with the weights that `float_weights` returned."""
    with np.load(path, allow_pickle=False) as stored:
        weights = [stored[name] for name in sorted(stored.files)]
    network = build_untrained(settings)
    if len(network.weights) > len(weights):
        network = build_untrained(settings, with_area=False)
    network.set_weights(weights)
    return network
