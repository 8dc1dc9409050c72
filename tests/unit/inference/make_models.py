"""Makes the tiny networks beside it: python -m tests.unit.inference.make_models (TensorFlow).

They are kept as files so that the daemon's tests need no TensorFlow. Their weights are random
from a fixed seed, spread so that scores differ from tile to tile.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from scopewatch_training.network.architecture import build_network
from scopewatch_training.network.area_output import add_squares
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.network_spec import NetworkSpec
from scopewatch_training.network.quantise import convert_int8

FOLDER = Path(__file__).parent / "models"
SPEC = NetworkSpec(tile_px=16, width=16, depth=1, stem="halvings")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    network = build_network(SPEC, seed=3)
    rng = np.random.default_rng(3)
    views = rng.normal(0, 1, size=(4, 96, 96)).astype(np.float32).cumsum(axis=1).clip(-6, 6)
    batch = views[..., None]
    for _ in range(30):
        network(batch, training=True)
    for name in ("tile", "area"):
        logits = np.asarray(network(batch, training=False)[name])
        head = network.get_layer(name)
        kernel, bias = head.get_weights()
        gain = 2 / logits.std()
        head.set_weights([kernel * gain, (bias - logits.mean()) * gain])
    frames = [
        TrainingFrame(id=str(i), run="run", view=view, signal=view, threshold=0.0)
        for i, view in enumerate(views)
    ]
    tiles = keras.Model(network.input, {"tile": network.get_layer("tile").output})
    plain = convert_int8(tiles, frames, SPEC.tile_px)
    (FOLDER / "tile16.tflite").write_bytes(plain)
    both = convert_int8(network, frames, SPEC.tile_px)
    # The scores of its tiles are those of the other file.
    (FOLDER / "fine16.tflite").write_bytes(add_squares(plain, both))
    for name, side in (("float", None), ("fixed", 32)):
        other = keras.Sequential(
            [keras.Input((side, side, 1), batch_size=1), keras.layers.Conv2D(1, 16, 16)]
        )
        converter = tf.lite.TFLiteConverter.from_keras_model(other)
        (FOLDER / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
