"""OpenVINO as a runtime."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scopewatch.core.errors import ModelError
from scopewatch.inference.tflite import TFLiteScorer
from tests.unit.inference.bundles import tiny_bundle

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


def test_no_room_for_its_temporary_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))

    with pytest.raises(ModelError) as caught:
        TFLiteScorer(tiny_bundle(), threads=1, memory_budget_mb=64, runtime="openvino")

    line = str(caught.value)
    assert line.startswith("model cannot be handed to openvino, which reads it from a file:")
    assert line.endswith("free space there, or set TMPDIR")
