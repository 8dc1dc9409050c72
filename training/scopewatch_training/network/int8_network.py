"""Runs a converted network in the TFLite runtime, with float input and output."""

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from scopewatch.inference.codes import Quantisation
from scopewatch.inference.notices import without_notices


class Int8Network:
    """Runs an int8 TFLite file on normalised views.

    Parameters
    ----------
    plain
        Without XNNPACK, slower: every convolution's output can then be looked at.
    """

    def __init__(self, model: bytes, *, plain: bool = False) -> None:
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else OpResolverType.AUTO
        self._interpreter = Interpreter(
            model_content=model,
            experimental_op_resolver_type=kernels,
            experimental_preserve_all_tensors=plain,
        )

    def run(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map a (1, H, W, 1) view to the (1, H/t, W/t, 1) probabilities of its tiles."""
        entry = self._interpreter.get_input_details()[0]
        self._interpreter.resize_tensor_input(entry["index"], view.shape)
        with without_notices():
            self._interpreter.allocate_tensors()
        codes = np.empty(view.shape, dtype=np.int8)
        _code_of(entry).encode(view[0, :, :, 0], codes[0, :, :, 0])
        self._interpreter.set_tensor(entry["index"], codes)
        self._interpreter.invoke()
        return self._reals(self._interpreter.get_output_details()[0])

    def convolutions(self) -> list[NDArray[np.float32]]:
        """Return what every convolution on the way to the tiles gave in the last run, in order.

        Of a plain network only.
        """
        details = {each["index"]: each for each in self._interpreter.get_tensor_details()}
        found = []
        wanted = {int(self._interpreter.get_output_details()[0]["index"])}
        # The list of operations has no public name in any of the runtimes, and no replacement.
        for operation in reversed(self._interpreter._get_ops_details()):
            output = int(operation["outputs"][0])
            if output in wanted:
                wanted |= set(map(int, operation["inputs"]))
                if operation["op_name"] == "CONV_2D":
                    found.append(self._reals(details[output]))
        return found[::-1]

    def _reals(self, tensor: dict[str, Any]) -> NDArray[np.float32]:
        return _code_of(tensor).decode(self._interpreter.get_tensor(tensor["index"]))


def _code_of(tensor: dict[str, Any]) -> Quantisation:
    scale, zero_point = tensor["quantization"]
    return Quantisation(scale=float(scale), zero_point=int(zero_point))
