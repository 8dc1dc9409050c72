"""Weights of the finer stain, and the frames by which runtimes are compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.inference.check_frames import CHECK_FILE, load_check
from scopewatch.inference.runtime_check import compare_runtime
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.check_writer import FRAMES, choose_check
from scopewatch_training.bundle.fine_weights import learn_fine_stain, raw_stain
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.network_spec import NetworkSpec
from tests.unit.core.samples import make_card
from tests.unit.inference.bundles import TILE_PX, fine_bundle, make_view

SPEC = NetworkSpec(tile_px=16, width=16, depth=0)


def make_frame(seed: int, *, positive: bool = True) -> TrainingFrame:
    """Return a frame whose view shows where its signal is: 96 x 96 px, positive in spots."""
    rng = np.random.default_rng(seed)
    spots = rng.random((24, 24)) < 0.4 if positive else np.zeros((24, 24), bool)
    view = spots.repeat(4, axis=0).repeat(4, axis=1).astype(np.float32)
    return TrainingFrame(id=f"f{seed}", run="r", view=view, signal=100 * view, threshold=50.0)


class SeeingScorer:
    """Gives squares by what the view shows, nine times out of ten, and tiles by chance."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(1)

    @property
    def card(self) -> ModelCard:
        return make_card(tile_px=16)

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.score_finely(view)[0]

    def score_finely(
        self, view: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        shown = view[::4, ::4] > 0.5
        wrong = self._rng.random(shown.shape) < 0.1
        squares = np.where(shown ^ wrong, 0.9, 0.1).astype(np.float32)
        tiles = self._rng.uniform(0.1, 0.9, (shown.shape[0] // 4, shown.shape[1] // 4))
        return tiles.astype(np.float32), squares

    def close(self) -> None:
        return


def test_what_tells_of_squares_gets_the_weight() -> None:
    stain = learn_fine_stain(SeeingScorer(), SPEC, [make_frame(seed) for seed in range(6)])

    # Right nine times out of ten: the logit that says so itself, but for the rarer positives.
    assert stain.side_px == 4
    assert stain.of_square == pytest.approx(1, abs=0.15)
    assert stain.of_tile < 0.1
    assert stain.offset == pytest.approx(np.log(0.4 / 0.6), abs=0.2)


def test_frames_without_a_positive_square_teach_nothing() -> None:
    frames = [make_frame(seed, positive=False) for seed in range(2)]

    assert learn_fine_stain(SeeingScorer(), SPEC, frames) == raw_stain(SPEC)


def test_a_runtime_is_compared_on_the_frames_of_which_the_network_is_least_sure(
    tmp_path: Path,
) -> None:
    bundle = replace(fine_bundle(), folder=tmp_path)
    scorer = TFLiteScorer(bundle, threads=1, memory_budget_mb=64)
    frames = [
        TrainingFrame(id=f"f{seed}", run="r", view=view, signal=view, threshold=0.0)
        for seed in range(6)
        for view in [make_view(200, 170, seed=seed) * (1 if seed % 2 else 0.05)]
    ]

    (tmp_path / CHECK_FILE).parent.mkdir()
    (tmp_path / CHECK_FILE).write_bytes(choose_check(scorer, frames))

    found = load_check(bundle)
    assert found is not None
    assert [view.shape for view in found.views] == [(192, 160)] * FRAMES
    doubts = [float(np.mean(p * (1 - p))) for p in found.probabilities]
    every = [scorer.score(np.asarray(frame.view)[:192, :160]) for frame in frames]
    assert min(doubts) >= sorted(float(np.mean(p * (1 - p))) for p in every)[-FRAMES] - 1e-3
    for view, expected in zip(found.views, found.probabilities, strict=True):
        np.testing.assert_array_equal(scorer.score(view), expected)
    assert found.views[0].shape[0] % TILE_PX == 0

    def never() -> TFLiteScorer:
        raise AssertionError("its scores are in the file")

    assert compare_runtime(bundle, scorer, never).steps == 0
