"""The contract of a scorer, the same for every runtime."""

from abc import ABC, abstractmethod

import numpy as np
import pytest

from scopewatch.core.imaging.analyse import Scorer
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores
from scopewatch.inference.tflite import TFLiteScorer
from tests.unit.core.samples import FixedScorer, make_card
from tests.unit.inference.bundles import fine_bundle, make_view, tiny_bundle

SIZES = [(96, 96), (64, 200), (33, 47), (1, 1), (130, 16)]


class ScorerContract(ABC):
    """Tests that every `core.imaging.analyse.Scorer` passes."""

    @pytest.fixture
    @abstractmethod
    def scorer(self) -> Scorer:
        """Return a scorer that is ready."""

    @pytest.mark.parametrize("size", SIZES)
    def test_every_tile_gets_a_probability(self, scorer: Scorer, size: tuple[int, int]) -> None:
        grid = TileGrid(height=size[0], width=size[1], tile_px=scorer.card.tile_px)

        scores = scorer.score(make_view(*size))

        assert scores.shape == grid.shape
        assert scores.dtype == np.float32
        assert 0 <= scores.min() <= scores.max() <= 1
        # The core accepts the scores unchanged.
        TileScores(grid=grid, probability=scores, valid=grid.whole())

    def test_the_same_view_gives_the_same_scores(self, scorer: Scorer) -> None:
        view = make_view(96, 96)
        first = scorer.score(view).copy()
        scorer.score(make_view(80, 112, seed=1))

        np.testing.assert_array_equal(scorer.score(view), first)

    def test_the_view_is_left_as_it_was(self, scorer: Scorer) -> None:
        view = make_view(50, 70)
        before = view.copy()
        view.setflags(write=False)

        scorer.score(view)

        np.testing.assert_array_equal(view, before)

    def test_scores_once_given_do_not_change(self, scorer: Scorer) -> None:
        scores = scorer.score(make_view(96, 96))
        kept = scores.copy()
        scorer.score(make_view(96, 96, seed=1))

        np.testing.assert_array_equal(scores, kept)

    @pytest.mark.parametrize("size", SIZES)
    def test_each_square_gets_a_value_where_the_card_describes_squares(
        self, scorer: Scorer, size: tuple[int, int]
    ) -> None:
        view = make_view(*size)

        tiles, squares = scorer.score_finely(view)

        np.testing.assert_array_equal(tiles, scorer.score(view))
        fine = scorer.card.fine_stain
        assert (squares is None) == (fine is None)
        if squares is not None and fine is not None:
            grid = TileGrid(height=size[0], width=size[1], tile_px=fine.side_px)
            assert squares.dtype == np.float32
            # The core accepts the values unchanged.
            SquareScores(grid=grid, share=squares)

    def test_closed_twice_it_scores_nothing_any_more(self, scorer: Scorer) -> None:
        scorer.score(make_view(32, 32))

        scorer.close()
        scorer.close()

        with pytest.raises(RuntimeError, match="closed"):
            scorer.score(make_view(32, 32))


class TestAiEdgeLiteRT(ScorerContract):
    """The default runtime."""

    @pytest.fixture
    def scorer(self) -> Scorer:
        return TFLiteScorer(tiny_bundle(), threads=1, memory_budget_mb=64, runtime="litert")


class TestTFLiteRuntime(ScorerContract):
    """The predecessor runtime, where it is installed."""

    @pytest.fixture
    def scorer(self) -> Scorer:
        pytest.importorskip("tflite_runtime", reason="tflite-runtime is not installed here")
        return TFLiteScorer(tiny_bundle(), threads=1, memory_budget_mb=64, runtime="tflite-runtime")


class TestOpenVINO(ScorerContract):
    """The runtime that is faster on processors without VNNI."""

    @pytest.fixture
    def scorer(self) -> Scorer:
        return TFLiteScorer(tiny_bundle(), threads=1, memory_budget_mb=64, runtime="openvino")


class TestFineStain(ScorerContract):
    """A network with a finer stain."""

    @pytest.fixture(params=["litert", "openvino"])
    def scorer(self, request: pytest.FixtureRequest) -> Scorer:
        return TFLiteScorer(fine_bundle(), threads=1, memory_budget_mb=64, runtime=request.param)


class TestFixedScorer(ScorerContract):
    """The fake scorer of other tests."""

    @pytest.fixture
    def scorer(self) -> Scorer:
        return FixedScorer(make_card())
