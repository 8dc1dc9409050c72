"""Builds the networks: fully convolutional, one score per tile, suited to int8.

Plain 3x3 convolutions with batch normalisation and ReLU, which the converter folds into one int8
operation; resolution is halved log2(tile_px) times until one output pixel is one tile. Where the
stem is `patches`, cutting the frame into patches takes the place of the first halving: a
convolution of one channel costs eight times as much per product as one of many.
No depthwise layers: on x86 they make int8 slower than float32. Channels are multiples of 16,
which the int8 kernels fill their registers with.

Beside the tile score the network learns, at a quarter of the tile's side, which share of the
area is positive (deep supervision; Lee et al., AISTATS 2015). That head sees thousands of graded
targets a frame where the tile labels are a few hundred bits, and is exported as the second output,
the finer stain. Where brightness is learnt, that head is the only one, and a tile's logit is the
mean of its squares.
"""

import random
from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from scopewatch_training.network.network_spec import (
    PATCHES,
    QUARTERS,
    Convolution,
    NetworkSpec,
    plan_layers,
)

TILE_HEAD = "tile"
AREA_HEAD = "area"

KNOTS: Final = np.linspace(-6.4, 6.4, 33)
"""Logits between which the exported sigmoid is straight; beyond them it is flat."""
# Clipping at 6 is fused into the convolution by every runtime.
_RAMP_TOP: Final = 6.0


def build_network(spec: NetworkSpec, seed: int) -> keras.Model:
    """Build the network for training.

    Returns
    -------
    Model from (N, H, W, 1) float32, H and W multiples of tile_px, to
    {"tile": (N, H/t, W/t, 1) logits, "area": (N, 4 H/t, 4 W/t, 1) logits}.
    """
    kernels = _first_kernels(seed)
    frame = keras.Input((None, None, 1), name="frame")
    feature, area = grow_layers(frame, spec, kernels=kernels)
    if spec.learns == "brightness":
        tile = layers.AveragePooling2D(spec.head_side, name=TILE_HEAD)(area)
    else:
        tile = layers.Conv2D(1, 1, kernel_initializer=next(kernels), name=TILE_HEAD)(feature)
    return keras.Model(frame, {TILE_HEAD: tile, AREA_HEAD: area}, name="scopewatch")


def _first_kernels(seed: int) -> Iterator[Any]:
    """Yield how the kernels of one layer after the other begin.

    Keras would draw their seeds from the generator that a whole process shares: what another
    thread draws meanwhile, as those of a Dask worker do, would change the network. These are the
    seeds that it draws where nobody else does.
    """
    draws = random.Random(seed)  # noqa: S311 - no secret
    while True:
        yield keras.initializers.GlorotUniform(draws.randint(1, 1_000_000_000))


def grow_layers(
    frame: Any, spec: NetworkSpec, prefix: str = "", kernels: Iterator[Any] | None = None
) -> tuple[Any, Any]:
    """Add the layers of a network to its input.

    Parameters
    ----------
    prefix
        Before the name of each layer.
    kernels
        How kernels begin; None where weights are set later.

    Returns
    -------
    The last feature map, of which a square of `spec.head_side` belongs to a tile, and the logits
    of the area head.
    """
    kernels = repeat("zeros") if kernels is None else kernels
    feature = frame
    area = None
    side_px = spec.patch_px
    if side_px > 1:
        feature = _Patches(side_px, name=f"{prefix}{PATCHES}")(frame)
    plan = plan_layers(spec)
    for layer, following in zip(plan, [*plan[1:], None], strict=True):
        side_px *= layer.stride
        feature = _convolve(feature, layer, prefix, next(kernels))
        last_of_level = following is None or following.stride > 1
        if last_of_level and area is None and side_px * QUARTERS >= spec.tile_px:
            head = {"kernel_initializer": next(kernels), "name": f"{prefix}{AREA_HEAD}"}
            area = layers.Conv2D(1, 1, **head)(feature)
    return feature, area


def build_scorer(network: keras.Model, lift: float = 0.0) -> keras.Model:
    """Turn the logits of a network into what is exported.

    Parameters
    ----------
    lift
        Added to every logit of a tile.

    Returns
    -------
    Model from (N, H, W, 1) float32 to {"tile": (N, H/t, W/t, 1) probabilities, "area":
    (N, 4 H/t, 4 W/t, 1) logits}; without "area" where the network has no such head.

    Notes
    -----
    The sigmoid is drawn as straight pieces between `KNOTS`, each a clipped ramp. As an int8
    tensor the logit itself would spend 256 codes on its whole range: a step of 0.1 in the logit
    is 6 steps in a probability about 0.5. A ramp spends them on 0.4.
    """
    head = network.get_layer(TILE_HEAD)
    kernel, bias = head.get_weights()
    steepness = _RAMP_TOP / np.diff(KNOTS)
    ramps = layers.Conv2D(len(steepness), head.kernel_size, head.strides, name="ramps")
    share = layers.Conv2D(1, 1, name="probability")
    feature = layers.ReLU(max_value=_RAMP_TOP, name="ramps_relu")(ramps(head.input))
    outputs = {TILE_HEAD: share(feature)}
    if has_area_head(network):
        outputs[AREA_HEAD] = network.get_layer(AREA_HEAD).output
    scorer = keras.Model(network.input, outputs)
    ramps.set_weights([kernel * steepness, (bias + lift - KNOTS[:-1]) * steepness])
    heights = 1 / (1 + np.exp(-KNOTS))
    rises = np.diff(heights) / _RAMP_TOP
    share.set_weights([rises.reshape(1, 1, -1, 1), heights[:1]])
    return scorer


def has_area_head(network: keras.Model) -> bool:
    """Tell whether a network has an area head; networks joined by earlier versions have none."""
    return any(layer.name == AREA_HEAD for layer in network.layers)


class _Patches(keras.layers.Layer):  # type: ignore[misc]
    """Cuts (N, H, W, 1) into patches: (N, H/s, W/s, s * s), the pixels of each row by row."""

    def __init__(self, side_px: int, **options: Any) -> None:
        super().__init__(**options)
        self.side_px = side_px

    def call(self, frame: Any) -> Any:
        return tf.nn.space_to_depth(frame, self.side_px)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        number, height, width, _ = shape
        sides = (None if side is None else side // self.side_px for side in (height, width))
        return (number, *sides, self.side_px**2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "side_px": self.side_px}


def _convolve(feature: Any, layer: Convolution, prefix: str, kernel: Any) -> Any:
    name = f"{prefix}{layer.name}"
    feature = layers.Conv2D(
        layer.channels,
        layer.kernel,
        layer.stride,
        padding="same",
        use_bias=False,
        kernel_initializer=kernel,
        name=name,
    )(feature)
    feature = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(feature)
    # The first layers answer to halos and debris twenty times as strongly as to cells, and int8
    # has one range for all: clipped at 6, its steps are spent on the cells.
    top = 6.0 if layer.early else None
    return layers.ReLU(max_value=top, name=f"{name}_relu")(feature)
