"""Networks under OpenVINO, which reads TFLite files as they are.

Its int8 kernels multiply pairs of 8-bit codes and add both products. Where the processor has no
VNNI they add in 16 bits, which saturates for large weights: scores are then up to 109 of 256 steps
off (`inference.runtime_check` refuses that). Weights of 7 bits never saturate.
"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scopewatch.inference.engine import Fill, TensorFacts
from scopewatch.inference.tflite_engine import TFLiteEngine


def import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, which reports each import to its makers' analytics.

    Without that package OpenVINO puts a stand-in that does nothing in its place.

    Raises
    ------
    ModuleNotFoundError
        When it is not installed.
    """
    # None: Python then treats the package as one that is not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return import_module("openvino")


class OpenVINOEngine:
    """Implements `inference.engine.Engine`.

    A network is compiled for each size of frame: compiled for any size, it takes more than twice
    the time.

    Parameters
    ----------
    described
        The same file under LiteRT, which tells of its ends what OpenVINO does not keep.

    Raises
    ------
    RuntimeError
        When OpenVINO cannot read `model`.
    OSError
        When the model cannot be written to a temporary file.
    """

    def __init__(
        self, module: ModuleType, model: bytes, threads: int, described: TFLiteEngine
    ) -> None:
        self.inputs: tuple[TensorFacts, ...] = described.inputs
        self.outputs: tuple[TensorFacts, ...] = described.outputs
        self._core = module.Core()
        # It reads TFLite from files alone; the bytes whose hash was checked are written to one.
        with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
            path = Path(folder) / "model.tflite"
            path.write_bytes(model)
            self._network = self._core.read_model(path)
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # What is not int8 stays float32: bfloat16 would give other scores on newer processors.
            "INFERENCE_PRECISION_HINT": "f32",
            # The threads of other stages run on the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        self._request: Any = None
        self._codes = np.empty((1, 0, 0, 1), dtype=np.int8)

    def resize(self, height_px: int, width_px: int) -> None:
        """Compile the network for frames of another size."""
        # First, or both sizes would lie in memory.
        self._request = None
        self._network.reshape([1, height_px, width_px, 1])
        compiled = self._core.compile_model(self._network, "CPU", self._settings)
        self._request = compiled.create_infer_request()
        self._codes = np.empty((1, height_px, width_px, 1), dtype=np.int8)

    def invoke(self, fill: Fill) -> tuple[NDArray[np.int8], ...]:
        """Map a frame to new arrays, one for each output."""
        fill(self._codes)
        self._request.infer([self._codes], share_inputs=True)
        # Its outputs have an order of their own.
        return tuple(self._request.get_tensor(each.name).data.copy() for each in self.outputs)
