"""Networks under a TFLite interpreter: `ai-edge-litert`, or `tflite-runtime` before it."""

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.inference.engine import Fill, TensorFacts, facts_of
from scopewatch.inference.notices import without_notices


class TFLiteEngine:
    """Implements `inference.engine.Engine`.

    Parameters
    ----------
    module
        The interpreter's, of either package.
    options
        Further arguments of its `Interpreter`.

    Raises
    ------
    ValueError, RuntimeError
        When `model` is no whole TFLite file.
    """

    def __init__(self, module: ModuleType, model: bytes, threads: int, **options: Any) -> None:
        self._interpreter = module.Interpreter(model_content=model, num_threads=threads, **options)
        inputs, outputs = (
            self._interpreter.get_input_details(),
            self._interpreter.get_output_details(),
        )
        self.inputs: tuple[TensorFacts, ...] = facts_of(inputs)
        self.outputs: tuple[TensorFacts, ...] = facts_of(outputs)
        self._frame = int(inputs[0]["index"])
        self._answers = [int(each["index"]) for each in outputs]

    def resize(self, height_px: int, width_px: int) -> None:
        """Plan the memory of frames of another size."""
        self._interpreter.resize_tensor_input(self._frame, [1, height_px, width_px, 1])
        with without_notices():
            self._interpreter.allocate_tensors()

    def invoke(self, fill: Fill) -> tuple[NDArray[np.int8], ...]:
        """Map a frame to new arrays, one for each output."""
        # It refuses to work while anyone refers to its memory: nothing may keep the frame.
        fill(self._interpreter.tensor(self._frame)())
        self._interpreter.invoke()
        return tuple(self._interpreter.get_tensor(index) for index in self._answers)


def bytes_per_px(module: ModuleType, model: bytes, side_px: int) -> float:
    """Return about how many bytes one input pixel takes up during an invoke.

    The default kernels hide their tensors, and no runtime reports the size of its arena. The plain
    kernels list theirs: all activations, and the largest unrolled convolution input, come to what
    the resident set was measured to grow by under XNNPACK (43 and 42 bytes for a network of
    halvings). OpenVINO takes less: 10 of 13 bytes for one of patches.

    Parameters
    ----------
    side_px
        Side of the frame on which it is read off.

    Raises
    ------
    ValueError, RuntimeError
        When the network does not take a frame of that size.
    """
    plain = module.Interpreter(
        model_content=model,
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    frame = plain.get_input_details()[0]["index"]
    plain.resize_tensor_input(frame, [1, side_px, side_px, 1])
    with without_notices():
        plain.allocate_tensors()
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
