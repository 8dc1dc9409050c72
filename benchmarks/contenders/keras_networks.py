"""Keras in float32, one thread: the bundle's layers on tiles, or a pixel U-Net's layers.

    python benchmarks/contenders/keras_networks.py tile|batch|unet

`tile` calls `predict` for one tile after the other, each with the surroundings that its score
depends on; `batch` gives 64 of them at once; `unet` maps phase to fluorescence pixel by pixel with
the layers of fnet (Ounkomol and others 2018, in 2D): five levels from 32 channels. A turn is a part
of a frame, and its time is scaled to a whole one. Weights are random, which changes no time.
"""

import sys
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from serving import SIDE_PX, serve

from scopewatch_training.cli.shipped import NETWORK
from scopewatch_training.network.architecture import build_network, build_scorer
from scopewatch_training.network.network_spec import NetworkSpec

TILE_PX = 32
# Tiles of surroundings to each side that a score depends on.
AROUND = 3
ALONE, BATCH = 8, 64
UNET_PX = 512
UNET_CHANNELS, UNET_LEVELS = 32, 4


def main() -> None:
    """Build the network that the call names, and serve."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    turn, share = {"tile": tiles, "batch": batch, "unet": unet}[sys.argv[1]]()
    serve(turn, share=share, version=f"{tf.__version__}, Keras {keras.__version__}")


def tiles() -> tuple[Callable[[], object], float]:
    """Score tiles one by one with `predict`."""
    scorer, crop = _scorer(), _noise(1, (1 + 2 * AROUND) * TILE_PX)
    return (
        lambda: [scorer.predict(crop, verbose=0) for _ in range(ALONE)],
        ALONE * (TILE_PX / SIDE_PX) ** 2,
    )


def batch() -> tuple[Callable[[], object], float]:
    """Score a batch of tiles at once."""
    scorer, crops = _scorer(), _noise(BATCH, (1 + 2 * AROUND) * TILE_PX)
    return lambda: scorer.predict_on_batch(crops), BATCH * (TILE_PX / SIDE_PX) ** 2


def unet() -> tuple[Callable[[], object], float]:
    """Predict every pixel of a sixteenth of a frame."""
    network, crop = build_unet(), _noise(1, UNET_PX)
    return lambda: network.predict_on_batch(crop), (UNET_PX / SIDE_PX) ** 2


def build_unet() -> keras.Model:
    """Return a U-Net of fnet's layers: two 3 x 3 convolutions a level, halved by strides."""
    frame = keras.Input((None, None, 1))
    feature, across = frame, []
    for level in range(UNET_LEVELS):
        feature = _twice(feature, UNET_CHANNELS << level)
        across.append(feature)
        feature = _normalised(layers.Conv2D(UNET_CHANNELS << level, 2, 2)(feature))
    feature = _twice(feature, UNET_CHANNELS << UNET_LEVELS)
    for level, beside in reversed(list(enumerate(across))):
        feature = _normalised(layers.Conv2DTranspose(UNET_CHANNELS << level, 2, 2)(feature))
        feature = _twice(layers.Concatenate()([beside, feature]), UNET_CHANNELS << level)
    return keras.Model(frame, layers.Conv2D(1, 3, padding="same")(feature))


def _twice(feature: object, channels: int) -> object:
    for _ in range(2):
        feature = _normalised(layers.Conv2D(channels, 3, padding="same")(feature))
    return feature


def _normalised(feature: object) -> object:
    return layers.ReLU()(layers.BatchNormalization()(feature))


def _scorer() -> keras.Model:
    return build_scorer(build_network(NetworkSpec(tile_px=TILE_PX, **NETWORK), seed=0))


def _noise(count: int, side_px: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1.5, (count, side_px, side_px, 1))
    return noise.astype(np.float32)


if __name__ == "__main__":
    main()
