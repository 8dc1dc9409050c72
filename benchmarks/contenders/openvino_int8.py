"""OpenVINO on the bundle's own .tflite: one int8 invoke on a whole frame, one thread."""

import sys

import numpy as np
from serving import SIDE_PX, serve

# Without its telemetry, which reports each import to its makers.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino  # noqa: E402


def main() -> None:
    """Compile the network that the call names, and serve."""
    core = openvino.Core()
    model = core.read_model(sys.argv[1])
    model.reshape([1, SIDE_PX, SIDE_PX, 1])
    request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1}).create_infer_request()
    noise = np.random.default_rng(0).normal(0, 32, (1, SIDE_PX, SIDE_PX, 1))
    codes = np.clip(noise, -128, 127).astype(np.int8)
    serve(lambda: request.infer({0: codes}), share=1.0, version=openvino.__version__)


if __name__ == "__main__":
    main()
