"""The only owner of the interpreter: normalised frame in, tile probabilities out.

Runs under `ai-edge-litert`, the maintained successor of `tflite-runtime`, and under
`tflite-runtime` itself where only that has a wheel. Both run the same int8 network with the same
XNNPACK kernels (see `inference.delegate`), so that scores are the same.
"""

import threading
from importlib.metadata import version
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.event_log import get_logger
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.codes import Quantisation
from scopewatch.inference.notices import without_notices
from scopewatch.inference.runtimes import Runtime, acceleration, open_runtime
from scopewatch.inference.strips import plan_strips

log = get_logger(__name__)

# Side of the frame on which the memory a pixel needs is read off, in tiles.
_PROBE_TILES = 4


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
        Which interpreter; None takes `ai-edge-litert`, or `tflite-runtime` where only that is
        installed.

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
        self._card = bundle.card
        self._folder = bundle.folder
        self._budget_mb: float = memory_budget_mb
        self._owner: int | None = None
        self._shape: tuple[int, int] | None = None
        self._runtime, module = open_runtime(runtime)
        self._interpreter = self._open(
            module,
            bundle.model,
            num_threads=threads,
            **acceleration(self._runtime, module, threads),
        )
        self._input, self._output = self._check_ends()
        self._bytes_per_px = self._probe_memory(module, bundle.model)
        self._margin = margin_tiles(self._card)
        self._probe_stride()
        log.info(
            "model opened",
            model=self._card.name,
            model_id=self._card.model_id,
            runtime=self._runtime,
            runtime_version=version(self._runtime),
            threads=threads,
            bytes_per_px=round(self._bytes_per_px, 1),
        )

    @property
    def card(self) -> ModelCard:
        """The card of the bundle that scores."""
        return self._card

    @property
    def runtime(self) -> Runtime:
        """The interpreter in use."""
        return self._runtime

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels of the model's scale."""
        return self._card.tile_px

    @property
    def step(self) -> float:
        """One quantisation step of the probabilities."""
        return self._output.scale

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map a (H, W) normalised frame to (rows, cols) float32 probabilities.

        Partial tiles at the right and lower border are filled up with 0, the neutral value of a
        normalised frame, and scored too.

        Raises
        ------
        ModelError
            When a frame is so wide that not even its smallest strip fits the memory budget.
        RuntimeError
            When called from a thread that does not own the scorer, or after `close`.
        """
        self._claim()
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
        scores = np.empty(grid.shape, dtype=np.float32)
        for strip in plan_strips(grid.rows, margin=self._margin, most_rows=most_rows):
            rows = view[strip.top * self.tile_px : strip.bottom * self.tile_px]
            height_px = (strip.bottom - strip.top) * self.tile_px
            codes = self._invoke(rows, height_px, width_px)
            kept = codes[strip.first - strip.top : strip.stop - strip.top]
            scores[strip.first : strip.stop] = self._output.decode(kept)
        # The int8 sigmoid's top code is 255/256, its lowest 0: never outside 0 to 1.
        return scores

    def release(self) -> None:
        """Let the thread that scores next own the scorer (a worker that was started again)."""
        self._owner = None

    def close(self) -> None:
        """Give back the memory and threads of the interpreter; nothing is scored afterwards.

        Whoever still refers to the scorer then keeps next to nothing.
        """
        self._interpreter = None

    def _claim(self) -> None:
        if self._interpreter is None:
            raise RuntimeError("TFLiteScorer was closed: open another one")
        caller = threading.get_ident()
        if self._owner is None:
            self._owner = caller
        if self._owner != caller:
            raise RuntimeError(
                "TFLiteScorer was called from a second thread: one thread owns the interpreter;"
                " open one scorer per thread, or release() it first"
            )

    def _invoke(self, rows: NDArray[np.float32], height_px: int, width_px: int) -> NDArray[np.int8]:
        """Score the top left part of a zero plane of (height_px, width_px) that `rows` fills."""
        if self._shape != (height_px, width_px):
            self._resize(height_px, width_px)
        codes = np.full((1, height_px, width_px, 1), self._input.zero_point, dtype=np.int8)
        self._input.encode(rows, codes[0, : rows.shape[0], : rows.shape[1], 0])
        self._interpreter.set_tensor(self._index("input"), codes)
        self._interpreter.invoke()
        scores: NDArray[np.int8] = self._interpreter.get_tensor(self._index("output"))
        return scores[0, :, :, 0]

    def _resize(self, height_px: int, width_px: int) -> None:
        self._shape = None
        self._interpreter.resize_tensor_input(self._index("input"), [1, height_px, width_px, 1])
        with without_notices():
            self._interpreter.allocate_tensors()
        self._shape = height_px, width_px

    def _index(self, end: Literal["input", "output"]) -> int:
        details = getattr(self._interpreter, f"get_{end}_details")()
        return int(details[0]["index"])

    def _open(self, module: ModuleType, model: bytes, **options: Any) -> Any:
        try:
            return module.Interpreter(model_content=model, **options)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model cannot be opened", "a whole TFLite file", error) from error

    def _check_ends(self) -> tuple[Quantisation, Quantisation]:
        """Check input and output against (1, H, W, 1) int8 and return their codes."""
        codes = []
        for end in ("input", "output"):
            details = getattr(self._interpreter, f"get_{end}_details")()
            facts = details[0]
            signature = [int(side) for side in facts["shape_signature"]]
            found = f"{len(details)} x {signature} {np.dtype(facts['dtype']).name}"
            fits = len(details) == 1 and len(signature) == 4 and signature[-1] == 1
            dynamic = fits and signature[1] == signature[2] == -1 and signature[0] in (-1, 1)
            if not dynamic or facts["dtype"] is not np.int8:
                expected = "one (1, H, W, 1) int8 tensor of any H and W"
                raise self._misfit(f"model {end} has the wrong shape or type", expected, found)
            scale, zero_point = facts["quantization"]
            if not scale > 0:
                raise self._misfit(f"model {end} is not quantised", "a scale above 0", scale)
            codes.append(Quantisation(scale=float(scale), zero_point=int(zero_point)))
        return codes[0], codes[1]

    def _probe_stride(self) -> None:
        """Score a small empty frame and check that one tile gives one score."""
        side_px = _PROBE_TILES * self.tile_px
        try:
            scores = self._invoke(np.zeros((side_px, side_px), np.float32), side_px, side_px)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model does not run", "whole tiles as input", error) from error
        if scores.shape != (_PROBE_TILES, _PROBE_TILES):
            stride = side_px / max(1, scores.shape[0])
            raise self._misfit(
                "model does not give one score per tile", f"stride {self.tile_px} px", stride
            )

    def _probe_memory(self, module: ModuleType, model: bytes) -> float:
        """Return about how many bytes one input pixel takes up during an invoke.

        The default kernels hide their tensors, and neither runtime reports the size of its arena.
        The plain kernels list theirs: all activations, and the largest unrolled convolution
        input, come to what the resident set was measured to grow by under XNNPACK (43 and 42
        bytes for the default network).
        """
        plain = self._open(
            module,
            model,
            experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        side_px = _PROBE_TILES * self.tile_px
        try:
            plain.resize_tensor_input(self._index("input"), [1, side_px, side_px, 1])
            with without_notices():
                plain.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model cannot be resized", "any H and W", error) from error
        planes, scratch = 0, [0]
        for tensor in plain.get_tensor_details():
            shape = tensor["shape"]
            # Weights are (out, k, k, in) or (out, 1, 1, in); activations lead with 1 and a side.
            if len(shape) == 4 and shape[0] == 1 and shape[1] == shape[2] > 1:
                size = int(np.prod(shape)) * np.dtype(tensor["dtype"]).itemsize
                if tensor["name"]:
                    planes += size
                else:
                    scratch.append(size)
        return (planes + max(scratch)) / side_px**2

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
