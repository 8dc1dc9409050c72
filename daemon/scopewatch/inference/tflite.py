"""The only owner of the interpreter: normalised frame in, tile probabilities out."""

import threading

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.event_log import get_logger
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.codes import Quantisation
from scopewatch.inference.network import Network
from scopewatch.inference.runtimes import Runtime, open_runtime, runtime_version
from scopewatch.inference.strips import margin_tiles, plan_strips
from scopewatch.inference.verdicts import RuntimeVerdict

log = get_logger(__name__)


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
        self._budget_mb: float = memory_budget_mb
        self._owner: int | None = None
        self._runtime, _ = open_runtime(runtime)
        network = Network(bundle, threads=threads, runtime=self._runtime)
        self._network: Network | None = network
        self._codes = network.input, network.outputs[0]
        self._bytes_per_px = network.bytes_per_px
        self._margin = margin_tiles(self._card)
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
        return self._codes

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels of the model's scale."""
        return self._card.tile_px

    @property
    def step(self) -> float:
        """One quantisation step of the probabilities."""
        return self._codes[1].scale

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
        network = self._claim()
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
        times = [self.tile_px // stride_px for stride_px in network.strides_px]
        planes = [np.empty((grid.rows * n, grid.cols * n), dtype=np.float32) for n in times]
        for strip in plan_strips(grid.rows, margin=self._margin, most_rows=most_rows):
            rows = view[strip.top * self.tile_px : strip.bottom * self.tile_px]
            height_px = (strip.bottom - strip.top) * self.tile_px
            answers = network.invoke(rows, height_px, width_px)
            for plane, code, found, n in zip(planes, network.outputs, answers, times, strict=True):
                kept = found[n * (strip.first - strip.top) : n * (strip.stop - strip.top)]
                plane[n * strip.first : n * strip.stop] = code.decode(kept)
        # The int8 sigmoid's top code is 255/256, its lowest 0: never outside 0 to 1.
        # Squares that lie in the padding of partial tiles are left out.
        tiles, *squares = (
            np.ascontiguousarray(plane[: -(-grid.height // px), : -(-grid.width // px)])
            for plane, px in zip(planes, network.strides_px, strict=True)
        )
        return tiles, squares[0] if squares else None

    def release(self) -> None:
        """Let the thread that scores next own the scorer (a worker that was started again)."""
        self._owner = None

    def close(self) -> None:
        """Give back the memory and threads of the runtime; nothing is scored afterwards.

        Whoever still refers to the scorer then keeps next to nothing.
        """
        self._network = None

    def _claim(self) -> Network:
        if self._network is None:
            raise RuntimeError("TFLiteScorer was closed: open another one")
        caller = threading.get_ident()
        if self._owner is None:
            self._owner = caller
        if self._owner != caller:
            raise RuntimeError(
                "TFLiteScorer was called from a second thread: one thread owns the interpreter;"
                " open one scorer per thread, or release() it first"
            )
        return self._network
