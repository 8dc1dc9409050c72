"""Networks whose second output is a finer stain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.core.errors import ModelError
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.runtimes import Runtime
from scopewatch.inference.tflite import TFLiteScorer
from tests.unit.inference.bundles import TILE_PX, fine_bundle, make_view, tiny_bundle

SQUARE_PX = TILE_PX // 4
STAIN = {"side_px": SQUARE_PX, "offset": 0.0, "of_square": 1.0, "of_tile": 1.0}


def open_scorer(bundle: Bundle, runtime: Runtime = "litert") -> TFLiteScorer:
    return TFLiteScorer(bundle, threads=1, memory_budget_mb=256, runtime=runtime)


@pytest.mark.parametrize("runtime", ["litert", "openvino"])
def test_the_scores_of_tiles_are_those_of_the_network_without_it(runtime: Runtime) -> None:
    view = make_view(203, 331)

    tiles, squares = open_scorer(fine_bundle(), runtime).score_finely(view)

    np.testing.assert_array_equal(tiles, open_scorer(tiny_bundle(), runtime).score(view))
    assert squares is not None
    assert squares.shape == (-(-203 // SQUARE_PX), -(-331 // SQUARE_PX))
    assert squares.std() > 0.1


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.integers(1, 100), st.integers(0, 9))
def test_any_size_gives_the_same_squares_in_strips(height: int, width: int, spare: int) -> None:
    scorer = open_scorer(fine_bundle())
    view = make_view(height, width, seed=height)
    whole, squares = scorer.score_finely(view)
    width_px = -(-width // TILE_PX) * TILE_PX
    scorer._budget_mb = scorer._bytes_per_px * width_px * (7.5 + spare) * TILE_PX / 1e6

    cut, cut_squares = scorer.score_finely(view)

    np.testing.assert_array_equal(cut, whole)
    np.testing.assert_array_equal(np.asarray(cut_squares), np.asarray(squares))


def test_squares_lie_where_the_tiles_do() -> None:
    scorer = open_scorer(fine_bundle())
    view = make_view(320, 320)

    _, squares = scorer.score_finely(view)
    _, moved = scorer.score_finely(view[2 * TILE_PX :, TILE_PX:])

    assert squares is not None
    assert moved is not None
    np.testing.assert_array_equal(squares[28:60, 24:60], moved[20:52, 20:56])


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (
            tiny_bundle("fine16"),
            "model output has the wrong shape or type: tiny (expected one (1, H, W, 1) int8 of any"
            " H and W, got 2 x [-1, -1, -1, 1] int8)",
        ),
        (
            tiny_bundle("tile16", fine_stain=STAIN),
            "expected two (1, H, W, 1) int8 of any H and W, got 1 x [-1, -1, -1, 1] int8)",
        ),
        (
            tiny_bundle("fine16", fine_stain=STAIN | {"side_px": 8}),
            "model does not give one score per square: tiny (expected stride 8 px, got 4.0)",
        ),
    ],
)
def test_a_network_that_is_not_as_its_card_describes_it_is_refused(
    bundle: Bundle, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        open_scorer(bundle)

    assert words in str(caught.value)
