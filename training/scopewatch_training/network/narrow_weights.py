"""Narrows the int8 weights of a TFLite file to 7 bits, for runtimes whose products saturate.

Without VNNI, OpenVINO adds two products of an activation (0 to 255) and a weight in 16 bits.
2 * 255 * 64 still fits there; weights up to 127 do not.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

TOP: Final = 64
"""Largest weight: 2 * 255 * 64 = 32,640 is below the 32,767 that 16 bits hold."""


def narrow_weights(model: bytes) -> bytes:
    """Return a TFLite file whose convolutions have weights from -64 to 64, in steps twice as wide.

    Biases keep their values: their steps are those of input and weights.
    """
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(model))
    graph = content.subgraphs[0]
    for step in graph.operators:
        code = content.operatorCodes[step.opcodeIndex].builtinCode
        if code != schema.BuiltinOperator.CONV_2D:
            continue
        entry, weights, bias = (graph.tensors[int(index)] for index in step.inputs)
        before = np.asarray(weights.quantization.scale, dtype=np.float64)
        codes = _read(content, weights, np.int8).reshape(weights.shape).astype(np.float64)
        peaks = np.abs(codes).reshape(len(codes), -1).max(axis=1)
        factor = np.maximum(peaks, TOP) / TOP
        narrow = np.rint(codes / factor.reshape(-1, 1, 1, 1)).astype(np.int8)
        _write(content, weights, narrow, before * factor)
        inner = _read(content, bias, np.int32) / factor
        _write(
            content,
            bias,
            np.rint(inner).astype(np.int32),
            before * factor * float(entry.quantization.scale[0]),
        )
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def _read(content: Any, tensor: Any, dtype: type) -> NDArray[Any]:
    return np.frombuffer(bytes(content.buffers[tensor.buffer].data), dtype=dtype)


def _write(content: Any, tensor: Any, codes: NDArray[Any], scale: NDArray[np.float64]) -> None:
    content.buffers[tensor.buffer].data = np.frombuffer(codes.tobytes(), dtype=np.uint8)
    tensor.quantization.scale = scale.astype(np.float32)
