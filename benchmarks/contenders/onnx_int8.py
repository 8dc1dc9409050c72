"""ONNX Runtime on the layers of a bundle's network, quantised to int8 by its own tool.

    python benchmarks/contenders/onnx_int8.py '{"patch_px": 2, "tile_px": 32, "layers": [...]}'

The weights are random, which changes no time. One invoke on a whole frame, one thread.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from serving import SIDE_PX, serve


class Noise(CalibrationDataReader):
    """A few small frames of noise."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._frames: Iterator[dict[str, Any]] = iter(
            [{"frame": rng.normal(0, 1.5, (1, 1, 256, 256)).astype(np.float32)} for _ in range(4)]
        )

    def get_next(self) -> dict[str, Any] | None:
        """Return the next frame, None after the last."""
        return next(self._frames, None)


def main() -> None:
    """Build, quantise and serve."""
    plan = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        whole, int8 = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(build(plan), whole)
        quantize_static(
            whole,
            int8,
            Noise(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            int8.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    noise = np.random.default_rng(0).normal(0, 1.5, (1, 1, SIDE_PX, SIDE_PX))
    frame = {"frame": noise.astype(np.float32)}
    serve(
        lambda: session.run(None, frame),
        share=1.0,
        version=onnxruntime.__version__,
    )


def build(plan: Mapping[str, Any]) -> onnx.ModelProto:
    """Return the network in float32: patches, convolutions with ReLU, one score a tile."""
    rng = np.random.default_rng(0)
    make, nodes, weights = onnx.helper, [], []
    last, channels = "frame", 1
    if plan["patch_px"] > 1:
        nodes.append(
            make.make_node("SpaceToDepth", [last], ["patches"], blocksize=plan["patch_px"])
        )
        last, channels = "patches", plan["patch_px"] ** 2
    head = {"kernel": 1, "stride": 1, "channels": 1}
    for index, layer in enumerate([*plan["layers"], head]):
        shape = (layer["channels"], channels, layer["kernel"], layer["kernel"])
        spread = (channels * layer["kernel"] ** 2) ** -0.5
        kernel = rng.normal(0, spread, shape).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(kernel, f"kernel{index}"))
        nodes.append(
            make.make_node(
                "Conv",
                [last, f"kernel{index}"],
                [f"sum{index}"],
                strides=[layer["stride"]] * 2,
                auto_pad="SAME_UPPER",
            )
        )
        curve = "Sigmoid" if layer is head else "Relu"
        last = "scores" if layer is head else f"feature{index}"
        nodes.append(make.make_node(curve, [f"sum{index}"], [last]))
        channels = layer["channels"]
    frame = make.make_tensor_value_info("frame", onnx.TensorProto.FLOAT, [1, 1, "H", "W"])
    scores = make.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, [1, 1, "h", "w"])
    graph = make.make_graph(nodes, "layers", [frame], [scores], weights)
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 17)])


if __name__ == "__main__":
    main()
