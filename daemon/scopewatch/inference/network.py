"""The network of a bundle, opened under a runtime and checked against its card."""

import tempfile
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.codes import Quantisation
from scopewatch.inference.engine import Engine, TensorFacts
from scopewatch.inference.runtimes import Runtime, memory_per_px, open_engine

# Side of the frame on which stride and memory are read off, in tiles.
_PROBE_TILES: Final = 4
_NUMBERS: Final = {1: "one", 2: "two"}


class Network:
    """An int8 network that gives what its card describes.

    Attributes
    ----------
    input, outputs
        The codes of a frame; those of its tiles and, where the card has a finer stain, of its
        squares.
    strides_px
        Side of a tile and, where there are any, of a square.
    bytes_per_px
        About how many bytes one input pixel takes up during an invoke.

    Raises
    ------
    ModelError
        When the runtime is not installed or cannot open the network, or the network does not fit
        the card.
    """

    def __init__(self, bundle: Bundle, *, threads: int, runtime: Runtime) -> None:
        card = bundle.card
        self._folder = bundle.folder
        self._runtime = runtime
        self._shape: tuple[int, int] | None = None
        self._engine = self._open(bundle.model, threads)
        squares_px = () if card.fine_stain is None else (card.fine_stain.side_px,)
        self.strides_px: tuple[int, ...] = (card.tile_px, *squares_px)
        (self.input,) = self._check_ends("input", self._engine.inputs, 1)
        self.outputs = self._check_ends("output", self._engine.outputs, len(self.strides_px))
        side_px = _PROBE_TILES * card.tile_px
        self.bytes_per_px = self._probe_memory(bundle.model, side_px)
        self._probe_strides(side_px)

    def invoke(
        self, rows: NDArray[np.float32], height_px: int, width_px: int
    ) -> list[NDArray[np.int8]]:
        """Return the codes of a zero plane of (height_px, width_px) whose top left is `rows`.

        One (height_px / stride_px, width_px / stride_px) int8 for each of `strides_px`.
        """
        if self._shape != (height_px, width_px):
            self._shape = None
            self._engine.resize(height_px, width_px)
            self._shape = height_px, width_px

        def fill(codes: NDArray[np.int8]) -> None:
            codes[:, rows.shape[0] :] = codes[:, :, rows.shape[1] :] = self.input.zero_point
            self.input.encode(rows, codes[0, : rows.shape[0], : rows.shape[1], 0])

        return [each[0, :, :, 0] for each in self._engine.invoke(fill)]

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

    def _probe_memory(self, model: bytes, side_px: int) -> float:
        try:
            return memory_per_px(self._runtime, model, side_px)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model cannot be resized", "any H and W", error) from error

    def _probe_strides(self, side_px: int) -> None:
        """Score a small empty frame and check that each tile and square gets its score."""
        empty = np.zeros((side_px, side_px), np.float32)
        try:
            planes = self.invoke(empty, side_px, side_px)
        except (ValueError, RuntimeError) as error:
            raise self._misfit("model does not run", "whole tiles as input", error) from error
        units = ("tile", "square")[: len(planes)]
        for unit, plane, stride_px in zip(units, planes, self.strides_px, strict=True):
            if plane.shape != (side_px // stride_px, side_px // stride_px):
                found = side_px / max(1, plane.shape[0])
                raise self._misfit(
                    f"model does not give one score per {unit}", f"stride {stride_px} px", found
                )

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
