"""OpenVINO as a runtime."""

import subprocess
import sys

IMPORT = """
import sys
from scopewatch.inference.runtimes import open_runtime
name, module = open_runtime("openvino")
module.Core()
print(name, *(name for name in sys.modules if name.startswith("openvino_telemetry.")))
"""


def test_its_telemetry_is_never_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True, timeout=100
    )

    assert done.stdout.split() == ["openvino"]
