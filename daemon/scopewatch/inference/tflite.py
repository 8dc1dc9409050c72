"""The only owner of the interpreter: normalised frame in, tile probabilities out."""

import tempfile
import threading

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.event_log import get_logger
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.codes import Quantisation
from scopewatch.inference.engine import Engine, TensorFacts
from scopewatch.inference.runtimes import (
    Runtime,
    memory_per_px,
    open_engine,
    open_runtime,
    runtime_version,
)
from scopewatch.inference.strips import plan_strips
from scopewatch.inference.verdicts import RuntimeVerdict

log = get_logger(__name__)

# Side of the frame on which the memory a pixel needs is read off, in tiles.
_PROBE_TILES = 4
_NUMBERS = {1: "one", 2: "two"}


class TFLiteScorer:
    """Scores normalised frames with the network of a bundle; a `core.imaging.analyse.Scorer`.

    The interpreter is not thread-safe. The first thread that scores owns the scorer; a call from
    another one is refused until `release` was called.

    Parameters
    ----------
    threads
        CPU threads that one invoke may use.
    memory_budget_mb
        Upper bound of what the network's activations may take. Frames that need more are scored
        in strips, with the same scores.
    runtime
        Under which the network runs; None takes LiteRT, or `tflite-runtime` where only that is
        installed. Whether another one than LiteRT may be trusted is judged by
        `inference.runtime_check`; whoever opened the scorer notes it as `verdict`.

    Raises
    ------
    ModelError
        When no runtime is installed, or the network does not fit the card.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int,
        memory_budget_mb: int,
        runtime: Runtime | None = None,
    ) -> None:
        self.verdict: RuntimeVerdict | None = None
        self._card = bundle.card
        self._folder = bundle.folder
        self._budget_mb: float = memory_budget_mb
        self._owner: int | None = None
        self._shape: tuple[int, int] | None = None
        self._runtime, _ = open_runtime(runtime)
        engine = self._open(bundle.model, threads)
        self._engine: Engine | None = engine
        (self._input,) = self._check_ends("input", engine.inputs, 1)
        self._outputs = self._check_ends("output", engine.outputs, 1 + len(self._squares_px))
        self._bytes_per_px = self._probe_memory(bundle.model)
        self._margin = margin_tiles(self._card)
        self._probe_stride(engine)
        log.info(
            "model opened",
            model=self._card.name,
            model_id=self._card.model_id,
            runtime=self._runtime,
            runtime_version=runtime_version(self._runtime),
            threads=threads,
            bytes_per_px=round(self._bytes_per_px, 1),
        )

    @property
    def card(self) -> ModelCard:
        """The card of the bundle that scores."""
        return self._card

    @property
    def runtime(self) -> Runtime:
        """The runtime in use."""
        return self._runtime

    @property
    def codes(self) -> tuple[Quantisation, Quantisation]:
        """The codes of a frame and of its tiles."""
        return self._input, self._outputs[0]

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels of the model's scale."""
        return self._card.tile_px

    @property
    def step(self) -> float:
        """One quantisation step of the probabilities."""
        return self._outputs[0].scale

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map a (H, W) normalised frame to (rows, cols) float32 probabilities.

        As `score_finely`, without the finer stain.
        """
        return self.score_finely(view)[0]

    def score_finely(
        self, view: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Score a (H, W) normalised frame by one invoke, or by one for each of its strips.

        Partial tiles at the right and lower border are filled up with 0, the neutral value of a
        normalised frame, and scored too.

        Returns
        -------
        (rows, cols) float32 probabilities of the tiles, and the values of the squares that the
        card's `fine_stain` describes; None where it describes none.

        Raises
        ------
        ModelError
            When a frame is so wide that not even its smallest strip fits the memory budget.
        RuntimeError
            When called from a thread that does not own the scorer, or after `close`.
        """
        engine = self._claim()
        grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=self.tile_px)
        width_px = grid.padded_shape[1]
        most_rows = int(self._budget_mb * 1e6 / (self._bytes_per_px * width_px * self.tile_px))
        needed = min(grid.rows, 2 * self._margin + 1)
        if most_rows < needed:
            row_mb = self._bytes_per_px * width_px * self.tile_px / 1e6
            raise ModelError(
                complaint(
                    "frame does not fit the memory budget even in strips",
                    where=f"{grid.height} x {grid.width} px frame",
                    expected=f"at least {int(row_mb * needed) + 1} MB",
                    got=f"{self._budget_mb} MB",
                    do="raise model.memory_budget_mb",
                )
            )
        times = [1, *(self.tile_px // side_px for side_px in self._squares_px)]
        planes = [np.empty((grid.rows * n, grid.cols * n), dtype=np.float32) for n in times]
        for strip in plan_strips(grid.rows, margin=self._margin, most_rows=most_rows):
            rows = view[strip.top * self.tile_px : strip.bottom * self.tile_px]
            height_px = (strip.bottom - strip.top) * self.tile_px
            answers = self._invoke(engine, rows, height_px, width_px)
            for plane, code, found, n in zip(planes, self._outputs, answers, times, strict=True):
                kept = found[n * (strip.first - strip.top) : n * (strip.stop - strip.top)]
                plane[n * strip.first : n * strip.stop] = code.decode(kept)
        # The int8 sigmoid's top code is 255/256, its lowest 0: never outside 0 to 1.
        return planes[0], self._cut(planes[1], view.shape) if len(planes) > 1 else None

    def _cut(self, plane: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the squares of a frame without those of its padding."""
        grid = TileGrid(height=shape[0], width=shape[1], tile_px=self._squares_px[0])
        return np.ascontiguousarray(plane[: grid.rows, : grid.cols])

    def release(self) -> None:
        """Let the thread that scores next own the scorer (a worker that was started again)."""
        self._owner = None

    def close(self) -> None:
        """Give back the memory and threads of the runtime; nothing is scored afterwards.

        Whoever still refers to the scorer then keeps next to nothing.
        """
        self._engine = None

    @property
    def _squares_px(self) -> tuple[int, ...]:
        """Side of the squares of the second output; none where there is none."""
        fine = self._card.fine_stain
        return () if fine is None else (fine.side_px,)

    def _claim(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("TFLiteScorer was closed: open another one")
        caller = threading.get_ident()
        if self._owner is None:
            self._owner = caller
        if self._owner != caller:
            raise RuntimeError(
                "TFLiteScorer was called from a second thread: one thread owns the interpreter;"
                " open one scorer per thread, or release() it first"
            )
        return self._engine

    def _invoke(
        self, engine: Engine, rows: NDArray[np.float32], height_px: int, width_px: int
    ) -> list[NDArray[np.int8]]:
        """Return the planes of a zero plane of (height_px, width_px) whose top left is `rows`."""
        if self._shape != (height_px, width_px):
            self._shape = None
            engine.resize(height_px, width_px)
            self._shape = height_px, width_px
        codes = np.full((1, height_px, width_px, 1), self._input.zero_point, dtype=np.int8)
        self._input.encode(rows, codes[0, : rows.shape[0], : rows.shape[1], 0])
        return [each[0, :, :, 0] for each in engine.invoke(codes)]

    def _open(self, model: bytes, threads: int) -> Engine:
        try:
            return open_engine(self._runtime, model, threads)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model cannot be opened", "a whole TFLite file", error) from error
        except OSError as error:
            raise ModelError(
                complaint(
                    f"model cannot be handed to {self._runtime}, which reads it from a file",
                    where=tempfile.gettempdir(),
                    expected="a folder for temporary files with room for the model",
                    got=error,
                    do="free space there, or set TMPDIR",
                )
            ) from error

    def _check_ends(
        self, end: str, found: tuple[TensorFacts, ...], count: int
    ) -> tuple[Quantisation, ...]:
        """Check that there are `count` tensors (1, H, W, 1) int8, and return their codes."""
        fitting = sum(facts.takes_any_frame for facts in found)
        if not fitting == len(found) == count:
            expected = f"{_NUMBERS[count]} (1, H, W, 1) int8 of any H and W"
            got = f"{len(found)} x {', '.join(sorted({str(each) for each in found}))}"
            raise self._misfit(f"model {end} has the wrong shape or type", expected, got)
        for facts in found:
            if not facts.scale > 0:
                raise self._misfit(f"model {end} is not quantised", "a scale above 0", facts.scale)
        return tuple(
            Quantisation(scale=facts.scale, zero_point=facts.zero_point) for facts in found
        )

    def _probe_stride(self, engine: Engine) -> None:
        """Score a small empty frame and check that each tile and square gets its score."""
        side_px = _PROBE_TILES * self.tile_px
        empty = np.zeros((side_px, side_px), np.float32)
        try:
            planes = self._invoke(engine, empty, side_px, side_px)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model does not run", "whole tiles as input", error) from error
        strides_px = (self.tile_px, *self._squares_px)
        for unit, plane, stride_px in zip(("tile", "square"), planes, strides_px, strict=False):
            if plane.shape != (side_px // stride_px, side_px // stride_px):
                found = side_px / max(1, plane.shape[0])
                raise self._misfit(
                    f"model does not give one score per {unit}", f"stride {stride_px} px", found
                )

    def _probe_memory(self, model: bytes) -> float:
        """Return about how many bytes one input pixel takes up during an invoke."""
        try:
            return memory_per_px(self._runtime, model, _PROBE_TILES * self.tile_px)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model cannot be resized", "any H and W", error) from error

    def _misfit(self, what: str, expected: object, got: object) -> ModelError:
        return ModelError(
            complaint(
                what,
                where=self._folder,
                expected=expected,
                got=got,
                do="write the bundle with scopewatch-train",
            )
        )


def margin_tiles(card: ModelCard) -> int:
    """Return how many tiles beyond a strip its scores can depend on.

    A network of stride-1 convolutions sees as far to one side as to the other; each halving sees
    one pixel of its input further down than up, which adds up to tile_px - 1, or to less where
    halvings are replaced by patches. So neither side reaches further than
    (receptive_field_px - 1) / 2.
    """
    if card.receptive_field_px <= card.tile_px:
        return 0
    return -(-(card.receptive_field_px - 1) // (2 * card.tile_px))
