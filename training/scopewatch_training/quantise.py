"""From a trained network to a full int8 TFLite file."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch_training.batches import TrainingFrame
from scopewatch_training.calibrate import Platt
from scopewatch_training.network import TILE_HEAD, build_scorer

REPRESENTATIVE_FRAMES = 48
REPRESENTATIVE_SIDE_PX = 1024


class _Codes(keras.layers.Layer):  # type: ignore[misc]
    """Makes every int8 network give its probabilities in the same steps, k / 256.

    Left to the frames that set the ranges, each network has steps of its own: a threshold halfway
    between two codes of one lies at a code of another, and where many tiles are near it, as they
    are where probabilities are small, the efficiencies of the two part by a point.
    """

    def call(self, probability: Any) -> Any:
        return tf.quantization.fake_quant_with_min_max_args(probability, 0.0, 255 / 256)


def fold_calibration(network: keras.Model, platt: Platt) -> None:
    """Put a calibration into the weights of the tile head, which is linear in its logit."""
    head = network.get_layer(TILE_HEAD)
    kernel, bias = head.get_weights()
    head.set_weights([kernel * platt.slope, bias * platt.slope + platt.intercept])


def convert_int8(network: keras.Model, frames: Sequence[TrainingFrame], tile_px: int) -> bytes:
    """Convert a network to a TFLite file with int8 weights, activations, input and output.

    Parameters
    ----------
    frames
        Frames of training runs; up to 48 of them, evenly chosen, set the activations' ranges.
    """
    with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
        saved = Path(folder) / "network"
        scorer = build_scorer(network)
        coded = keras.Model(scorer.input, _Codes(name="codes")(scorer.output))
        coded.export(str(saved), format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _representative(frames, tile_px)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        model: bytes = converter.convert()
    return model


def _representative(
    frames: Sequence[TrainingFrame], tile_px: int
) -> Iterator[list[NDArray[np.float32]]]:
    """Yield normalised views, cut to whole tiles and to a size that bounds memory."""
    if not frames:
        raise ModelError(
            complaint("no frame to set int8 ranges by", where="training runs", do="add frames")
        )
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), REPRESENTATIVE_FRAMES))
    for index in np.unique(chosen.round().astype(int)):
        view = frames[index].view
        height, width = (
            min(side, REPRESENTATIVE_SIDE_PX) // tile_px * tile_px for side in view.shape
        )
        yield [np.asarray(view[:height, :width], dtype=np.float32)[None, ..., None]]


def save_float(network: keras.Model, path: Path) -> None:
    """Write the float weights, so that a bundle can be quantised again without training."""
    weights: dict[str, Any] = {
        f"{index:03d}": np.asarray(weight) for index, weight in enumerate(network.weights)
    }
    np.savez_compressed(path, **weights)


def load_float(network: keras.Model, path: Path) -> None:
    """Read what `save_float` wrote into a network of the same shape."""
    with np.load(path, allow_pickle=False) as stored:
        network.set_weights([stored[name] for name in sorted(stored.files)])
