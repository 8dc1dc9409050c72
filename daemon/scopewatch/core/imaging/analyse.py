"""From a frame to its result: the one pure path that training, daemon and tests share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import complaint
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import correct, positive_fraction
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.model_card.card import FineStain, ModelCard
from scopewatch.core.imaging.normalise import normalise
from scopewatch.core.imaging.planes.between import Between
from scopewatch.core.imaging.quality import fit_tiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.scale import plan_scale, resample, resampled_shape
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores
from scopewatch.core.imaging.verdict import MAX_SIDE_PX, judge, refuse_shape


class Scorer(Protocol):
    """Scores a normalised frame; the one owner of an interpreter, used by one thread."""

    @property
    def card(self) -> ModelCard:
        """The card of the bundle that scores."""
        ...

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map a (H, W) normalised frame to (rows, cols) float32 probabilities.

        rows and cols count partial tiles: ceil(H / tile_px), ceil(W / tile_px).
        """
        ...

    def score_finely(
        self, view: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return what `score` does, and of the same invoke the second output of the network.

        The latter is (rows, cols) float32, 0 to 1, for squares of the card's `fine_stain.side_px`,
        partial ones counted; None where the card describes none.
        """
        ...

    def close(self) -> None:
        """Release the memory and threads of the interpreter; it cannot score afterwards."""
        ...


def analyse(frame: Frame, scorer: Scorer, monotonic: Callable[[], float]) -> FrameResult:
    """Judge one frame and, when it is fit, score it.

    Scale, normalise, judge, score, count, correct. A frame whose pixel size differs from the
    card's is resampled within the card's `max_resample` (measure ``resampled_by`` says by how
    much) and refused beyond it. Where the frame or the card gives no pixel size nothing can be
    checked: measure ``scale_checked`` is then 0.

    Parameters
    ----------
    frame
        Read whole, of any size; one that cannot be tiled is refused with its reason.
    scorer
        Gives the probabilities and the card.
    monotonic
        Seconds that never jump; for the timings only.

    Returns
    -------
    FrameResult
        With scores and an efficiency, or with a verdict that says why there are none. Tiles cut
        by the border, black or saturated ones are scored but not valid.

    Raises
    ------
    ModelError
        When the scorer's answer does not fit the frame, or the card limits unknown measures.
    """
    result = _analyse(frame, scorer, monotonic)
    if frame.stack is None:
        return result
    measures = result.verdict.measures | frame.stack.measures()
    return replace(result, verdict=replace(result.verdict, measures=measures))


def _analyse(frame: Frame, scorer: Scorer, monotonic: Callable[[], float]) -> FrameResult:
    started = monotonic()
    card = scorer.card
    early = _refuse_early(frame, card)
    if early is not None:
        return _refused(frame, card, early, None, started, started, monotonic())
    factor = plan_scale(frame.pixel_size_um, card).resample_by
    pixels = frame.pixels if factor == 1.0 else resample(frame.pixels, factor)
    view = normalise(pixels, card.normalisation.spec())
    del pixels
    normalised = monotonic()
    verdict = judge(frame.pixels, view, card, frame.pixel_size_um)
    if not verdict.judged:
        return _refused(frame, card, verdict, view, started, normalised, monotonic())
    grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=card.tile_px)
    before = monotonic()
    probability, fine = scorer.score_finely(view)
    scored = monotonic()
    scores = TileScores(
        grid=grid, probability=probability, valid=grid.whole() & fit_tiles(frame.pixels, grid)
    )
    raw = positive_fraction(scores, card.threshold)
    if raw is None:
        empty = Verdict(
            fault=Fault.BLANK,
            reason=complaint(
                "frame has no tile to count",
                where=f"{grid.height} x {grid.width} px frame",
                expected="whole tiles that are neither black nor saturated",
                do="check the exposure and export whole camera frames",
            ),
            measures=verdict.measures,
        )
        return _refused(frame, card, empty, view, started, normalised, monotonic())
    return FrameResult(
        key=frame.key,
        model_id=card.model_id,
        verdict=verdict,
        scores=scores,
        positive_fraction=raw,
        efficiency=correct(raw, card.rates),
        view=view,
        timings=Timings(
            normalise_ms=1e3 * (normalised - started),
            score_ms=1e3 * (scored - before),
            total_ms=1e3 * (monotonic() - started),
        ),
        view_um_per_px=frame.pixel_size_um if factor == 1.0 else card.um_per_px,
        squares=_squares(view, card, probability, fine),
    )


def _squares(
    view: NDArray[np.float32],
    card: ModelCard,
    probability: NDArray[np.float32],
    fine: NDArray[np.float32] | None,
) -> SquareScores | None:
    stain = card.fine_stain
    if fine is None or stain is None:
        return None
    grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=stain.side_px)
    near, around = finer_logits(fine, probability, card.tile_px // stain.side_px)
    return SquareScores(grid=grid, share=drawn_share(stain, near, around))


def finer_logits(
    squares: NDArray[np.float32], tiles: NDArray[np.float32], times: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the logits of squares, and those of tiles interpolated between their middles.

    Parameters
    ----------
    squares
        (rows, cols) float32, 0 to 1.
    tiles
        Probabilities of the tiles that hold these squares, partial ones included.
    times
        Squares along the side of a tile.

    Returns
    -------
    Two (rows, cols) float32.
    """
    around = _logits(tiles)
    for axis, count in enumerate(squares.shape):
        between = Between.centres(count, times, around.shape[axis])
        before = around.take(between.left, axis)
        after = around.take(between.left + 1, axis, mode="clip")
        share = np.expand_dims(between.weight, 1 - axis)
        around = before * (1 - share) + after * share
    return _logits(squares), around


def drawn_share(
    stain: FineStain, squares: NDArray[np.float32], tiles: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the share of squares that is drawn, of both logits that `finer_logits` gives."""
    logits = stain.offset + stain.of_square * squares + stain.of_tile * tiles
    share: NDArray[np.float32] = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return share


def _logits(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    # Half of the lowest step of an int8 probability: its logit is finite.
    bounded = np.clip(probability, np.float32(1 / 512), np.float32(511 / 512))
    logits: NDArray[np.float32] = np.log(bounded / (1 - bounded))
    return logits


def _refuse_early(frame: Frame, card: ModelCard) -> Verdict | None:
    """Return a refusal for a scale or size that must not even be normalised."""
    plan = plan_scale(frame.pixel_size_um, card)
    measures = {"scale_checked": float(plan.checked), "resampled_by": plan.resample_by}
    if plan.refusal:
        return Verdict(fault=Fault.WRONG_SCALE, reason=plan.refusal, measures=measures)
    shape = (frame.pixels.shape[0], frame.pixels.shape[1])
    line = refuse_shape(resampled_shape(shape, plan.resample_by), card.tile_px)
    if not line and max(shape) > MAX_SIDE_PX:
        line = refuse_shape(shape, card.tile_px)
    return Verdict(fault=Fault.WRONG_SHAPE, reason=line, measures=measures) if line else None


def _refused(
    frame: Frame,
    card: ModelCard,
    verdict: Verdict,
    view: NDArray[np.float32] | None,
    started: float,
    normalised: float,
    ended: float,
) -> FrameResult:
    return FrameResult(
        key=frame.key,
        model_id=card.model_id,
        verdict=verdict,
        scores=None,
        positive_fraction=None,
        efficiency=None,
        view=view,
        timings=Timings(
            normalise_ms=1e3 * (normalised - started),
            score_ms=0.0,
            total_ms=1e3 * (ended - started),
        ),
    )
