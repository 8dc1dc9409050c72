"""The one path from a frame to its result."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.analyse import analyse, finer_logits
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.z_stack import ChosenPlane
from tests.unit.core.samples import KEY, FixedScorer, make_card, make_cells, make_frame, view_of

ERRORS = {"tpr": 0.8, "fpr": 0.1, "half_width": 0.05, "run_residuals": {}}


def ticks() -> Callable[[], float]:
    """Return a clock that moves on by one second each time it is read."""
    seconds: Iterator[int] = iter(range(1000))
    return lambda: float(next(seconds))


def run(
    pixels: Pixels, scorer: FixedScorer | None = None, size_um: float | None = 1.0
) -> FrameResult:
    return analyse(make_frame(pixels, size_um), scorer or FixedScorer(make_card()), ticks())


class HalfScorer(FixedScorer):
    """Says yes to the left half of the tiles."""

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        probability = super().score(view).copy()
        probability[:, probability.shape[1] // 2 :] = 0.1
        return probability


def test_a_fit_frame_is_scored_and_counted() -> None:
    pixels = make_cells()
    result = run(pixels, HalfScorer(make_card()))
    assert result.key == KEY
    assert result.model_id == "0123456789ab"
    assert result.verdict.judged
    assert result.positive_fraction == 0.5
    assert result.scores is not None
    assert result.scores.valid.all()
    assert result.scores.probability.shape == (8, 8)
    assert result.view is not None
    np.testing.assert_array_equal(result.view, view_of(pixels))
    assert result.view_um_per_px == 1.0


def test_the_efficiency_is_corrected_by_the_cards_error_rates() -> None:
    result = run(make_cells(), HalfScorer(make_card(errors=ERRORS)))
    assert result.efficiency is not None
    assert result.efficiency.corrected
    assert result.efficiency.value == pytest.approx((0.5 - 0.1) / 0.7)


def test_without_error_rates_the_efficiency_is_raw() -> None:
    result = run(make_cells(), HalfScorer(make_card()))
    assert result.efficiency is not None
    assert not result.efficiency.corrected
    assert (result.efficiency.value, result.efficiency.low, result.efficiency.high) == (0.5, 0, 1)


def test_a_tile_at_the_threshold_is_positive() -> None:
    assert run(make_cells(), FixedScorer(make_card(), 0.5)).positive_fraction == 1


def test_partial_tiles_are_scored_but_not_counted() -> None:
    result = run(make_cells(250, 256))
    assert result.scores is not None
    assert result.scores.probability.shape == (8, 8)
    assert result.scores.valid[:7].all()
    assert not result.scores.valid[7].any()


def test_black_tiles_are_not_counted() -> None:
    pixels = make_cells()
    pixels[:, :128] = 0
    result = run(pixels, HalfScorer(make_card()))
    assert result.scores is not None
    assert not result.scores.valid[:, :4].any()
    assert result.positive_fraction == 0


def test_a_frame_of_another_scale_is_resampled_and_says_so() -> None:
    scorer = FixedScorer(make_card())
    result = run(make_cells(), scorer, size_um=1.5)
    assert scorer.seen == [(384, 384)]
    assert result.verdict.measures["resampled_by"] == 1.5
    assert result.verdict.measures["scale_checked"] == 1
    assert result.view is not None
    assert result.view.shape == (384, 384)
    assert result.view_um_per_px == 1.0


def test_a_frame_without_scale_is_scored_as_it_is_and_says_so() -> None:
    scorer = FixedScorer(make_card())
    result = run(make_cells(), scorer, size_um=None)
    assert scorer.seen == [(256, 256)]
    assert result.verdict.measures["scale_checked"] == 0
    assert result.view_um_per_px is None


@pytest.mark.parametrize(
    ("pixels", "size_um", "fault"),
    [
        (make_cells(), 9.0, Fault.WRONG_SCALE),
        (np.ones((1, 1), np.uint8), 1.0, Fault.WRONG_SHAPE),
        (np.ones((1, 8193), np.uint8), 1.0, Fault.WRONG_SHAPE),
        (make_cells(100, 100), 0.5, Fault.WRONG_SHAPE),
        (np.zeros((256, 256), np.uint16), 1.0, Fault.BLANK),
        (np.full((256, 256), 255, np.uint8), 1.0, Fault.SATURATED),
    ],
)
def test_an_unfit_frame_is_never_scored(pixels: Pixels, size_um: float, fault: Fault) -> None:
    scorer = FixedScorer(make_card())
    result = run(pixels, scorer, size_um)
    assert result.verdict.fault is fault
    assert scorer.seen == []
    assert result.scores is None
    assert result.efficiency is None


def test_a_camera_frame_beyond_the_largest_size_is_refused_even_if_it_would_shrink() -> None:
    result = run(np.ones((200, 8200), np.uint8), size_um=0.6)
    assert result.verdict.fault is Fault.WRONG_SHAPE
    assert "got 200 x 8200 px" in result.verdict.reason


def test_a_frame_without_one_tile_that_counts_is_blank() -> None:
    pixels = make_cells(95, 95)
    pixels[:64, :64] = 0
    scorer = FixedScorer(make_card())
    result = run(pixels, scorer)
    assert result.verdict.fault is Fault.BLANK
    assert result.verdict.reason.startswith("frame has no tile to count: 95 x 95 px frame")
    assert result.scores is None


def test_an_out_of_focus_frame_gives_its_reason_and_its_view() -> None:
    card = make_card(quality={"min_focus": 0.1})
    result = run(make_cells(blur_px=6), FixedScorer(card))
    assert result.verdict.fault is Fault.OUT_OF_FOCUS
    assert result.view is not None
    assert result.timings.score_ms == 0


def test_a_scorer_whose_answer_does_not_fit_is_an_error() -> None:
    class Short(FixedScorer):
        def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
            return super().score(view)[1:]

    with pytest.raises(ModelError, match="tile probability does not fit the frame: 256 x 256 px"):
        run(make_cells(), Short(make_card()))


STAIN = {"side_px": 8, "offset": -0.5, "of_square": 0.5, "of_tile": 1.0}


class FineScorer(HalfScorer):
    """Gives squares of 8 px, too: those of the upper half are positive."""

    def score_finely(
        self, view: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        squares = np.full(tuple(-(-side // 8) for side in view.shape), 0.1, np.float32)
        squares[: len(squares) // 2] = 0.9
        return self.score(view), squares


def test_the_finer_stain_follows_from_squares_and_tiles() -> None:
    result = run(make_cells(250, 256), FineScorer(make_card(fine_stain=STAIN)))
    plain = run(make_cells(250, 256), HalfScorer(make_card()))

    assert result.squares is not None
    share = result.squares.share
    assert share.shape == (32, 32)
    logits = np.log(share / (1 - share))
    near, there, away = np.log(9), np.log(3), np.log(1 / 9)
    # Within half a tile of its middle, a tile's own score; across the border, between both.
    assert logits[0, 0] == pytest.approx(-0.5 + 0.5 * near + there, abs=1e-5)
    assert logits[31, 31] == pytest.approx(-0.5 - 0.5 * near + away, abs=1e-5)
    assert logits[0, 16] == pytest.approx(
        -0.5 + 0.5 * near + 0.375 * there + 0.625 * away, abs=1e-5
    )
    assert plain.squares is None
    assert plain.scores is not None
    assert result.scores is not None
    np.testing.assert_array_equal(result.scores.probability, plain.scores.probability)
    assert result.efficiency == plain.efficiency


def test_squares_of_another_size_than_the_cards_are_an_error() -> None:
    card = make_card(fine_stain=STAIN | {"side_px": 4})

    with pytest.raises(ModelError, match="share of squares does not fit the frame: 256 x 256 px"):
        run(make_cells(), FineScorer(card))


def test_tiles_are_interpolated_between_their_middles() -> None:
    tiles = np.array([[0.5, 1 / (1 + np.exp(-4))]], np.float32)

    _, around = finer_logits(np.full((4, 8), 0.5, np.float32), tiles, 4)

    for row in around:
        assert row == pytest.approx([0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4], abs=1e-4)


@given(
    tiles=arrays(np.float32, (3, 5), elements=st.floats(0, 1, width=32)),
    rows=st.integers(9, 12),
    cols=st.integers(17, 20),
)
def test_interpolated_tiles_stay_within_their_scores(
    tiles: NDArray[np.float32], rows: int, cols: int
) -> None:
    _, around = finer_logits(np.zeros((rows, cols), np.float32), tiles, 4)
    own, _ = finer_logits(tiles, tiles, 1)

    assert around.shape == (rows, cols)
    assert own.min() - 1e-5 <= around.min() <= around.max() <= own.max() + 1e-5


def test_timings_are_in_milliseconds_of_the_given_clock() -> None:
    timings = run(make_cells()).timings
    assert timings.normalise_ms == 1000
    assert timings.score_ms == 1000
    assert timings.total_ms == 4000


def test_the_frame_is_not_changed() -> None:
    pixels = make_cells()
    before = pixels.copy()
    run(pixels, size_um=1.5)
    np.testing.assert_array_equal(pixels, before)


def test_the_plane_of_a_stack_and_the_scores_of_all_are_measures_judged_or_not() -> None:
    choice = ChosenPlane(z=3, scores={2: 0.25, 3: 0.75})
    for pixels in (make_cells(), np.full((256, 256), 500, np.uint16)):
        frame = replace(make_frame(pixels, 1.0), stack=choice)
        result = analyse(frame, FixedScorer(make_card()), ticks())
        plain = run(pixels).verdict
        stated = {"z": 3.0, "z_planes": 2.0, "z_score_2": 0.25, "z_score_3": 0.75}
        assert result.verdict.measures == plain.measures | stated
        assert result.verdict.fault == plain.fault
