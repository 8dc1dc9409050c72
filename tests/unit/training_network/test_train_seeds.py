"""The weights that a network begins with."""

import random

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch_training.network.architecture import build_network
from scopewatch_training.network.network_spec import NetworkSpec

pytestmark = pytest.mark.training

SPEC = NetworkSpec(width=16, depth=0)


def first_kernel(network: keras.Model) -> NDArray[np.float32]:
    return np.asarray(network.get_weights()[0])


def test_a_seed_decides_the_first_weights() -> None:
    one, again, other = (first_kernel(build_network(SPEC, seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_what_other_threads_draw_meanwhile_changes_no_weight() -> None:
    random.seed(1)
    before = random.getstate()
    build_network(SPEC, 3)
    assert random.getstate() == before


def test_the_weights_are_those_that_keras_draws_where_nobody_else_does() -> None:
    keras.utils.set_random_seed(3)
    alone = keras.layers.Conv2D(16, 3)
    kernel = first_kernel(build_network(SPEC, 3))
    alone.build((None, None, None, kernel.shape[2]))
    assert np.array_equal(alone.get_weights()[0], kernel[..., :16])
