"""What the scorer needs of a runtime: an opened network, its ends, and one invoke."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFacts:
    """What a TFLite file says of an input or an output.

    Parameters
    ----------
    name
        Of the tensor in the file.
    signature
        Lengths of its axes; -1 where any length is allowed.
    dtype
        Name of its type, as numpy names it.
    scale, zero_point
        Of its codes: real = scale * (code - zero_point). A scale of 0: not quantised.
    """

    name: str
    signature: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def takes_any_frame(self) -> bool:
        """Whether it is (1, H, W, 1) int8 of any H and W."""
        batch, *sides = self.signature or (0,)
        return batch in (-1, 1) and sides == [-1, -1, 1] and self.dtype == "int8"

    def __str__(self) -> str:
        return f"{list(self.signature)} {self.dtype}"


Fill = Callable[[NDArray[np.int8]], None]


class Engine(Protocol):
    """An opened int8 network; its calls raise ValueError or RuntimeError for what it cannot run.

    It is used by one thread at a time.
    """

    @property
    def inputs(self) -> tuple[TensorFacts, ...]:
        """The inputs, in the order of the file."""
        ...

    @property
    def outputs(self) -> tuple[TensorFacts, ...]:
        """The outputs, in the order of the file."""
        ...

    def resize(self, height_px: int, width_px: int) -> None:
        """Make ready for frames of another size, which takes a moment."""
        ...

    def invoke(self, fill: Fill) -> tuple[NDArray[np.int8], ...]:
        """Map a frame of the size that was set to new arrays, one for each output.

        Parameters
        ----------
        fill
            Writes all codes of the frame, (1, H, W, 1), into the memory of the runtime; it keeps no
            reference to it.
        """
        ...


def facts_of(details: list[dict[str, Any]]) -> tuple[TensorFacts, ...]:
    """Return the facts that a TFLite interpreter gives of its inputs or outputs."""
    return tuple(
        TensorFacts(
            name=str(each["name"]),
            signature=tuple(int(side) for side in each["shape_signature"]),
            dtype=np.dtype(each["dtype"]).name,
            scale=float(each["quantization"][0]),
            zero_point=int(each["quantization"][1]),
        )
        for each in details
    )
