"""Figures stay within their bounds and do not depend on the order of tiles or wells."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from scopewatch_training.network.metrics.images import concordance, image_metrics
from scopewatch_training.network.metrics.tiles import tile_metrics

TILES = st.lists(
    st.tuples(st.sampled_from([-1, 0, 1]), st.floats(0, 1)), min_size=1, max_size=60
).filter(lambda tiles: any(label >= 0 for label, _ in tiles))
SHARES = hnp.arrays(np.float64, st.integers(2, 30), elements=st.floats(0, 1))


@given(TILES, st.floats(0.01, 0.99))
def test_figures_lie_within_their_bounds(tiles: list[tuple[int, float]], cut: float) -> None:
    labels, scores = zip(*tiles, strict=True)
    figures = tile_metrics(labels, scores, cut).to_json()
    for name in ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier", "prevalence"):
        value = figures[name]
        assert value is None or 0 <= value <= 1 + 1e-9, name
    assert figures["mcc"] is None or -1 - 1e-9 <= figures["mcc"] <= 1 + 1e-9


@given(TILES, st.floats(0.01, 0.99), st.randoms(use_true_random=False))
def test_the_order_of_tiles_does_not_matter(
    tiles: list[tuple[int, float]], cut: float, random: Random
) -> None:
    shuffled = list(tiles)
    random.shuffle(shuffled)
    one, two = (
        tile_metrics([label for label, _ in each], [score for _, score in each], cut).to_json()
        for each in (tiles, shuffled)
    )
    for name, value in one.items():
        assert two[name] == pytest.approx(value, abs=1e-9) if value is not None else True


@given(SHARES, st.randoms(use_true_random=False))
def test_bias_never_exceeds_the_mean_absolute_error(
    truth: NDArray[np.float64], random: Random
) -> None:
    estimate = np.array([random.random() for _ in truth])
    figures = image_metrics(estimate, truth)
    assert abs(figures.bias) <= figures.mae + 1e-9
    assert figures.mae <= 100


@given(SHARES)
def test_a_perfect_estimate_agrees_wholly(truth: NDArray[np.float64]) -> None:
    figures = image_metrics(truth, truth)
    assert (figures.bias, figures.mae) == (0, 0)
    if truth.std() > 1e-3:
        assert concordance(truth, truth) == pytest.approx(1)
