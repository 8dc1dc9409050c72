"""Processes beside the demo."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.demo.processes import Companion


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    (tmp_path / "companion_script.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert sys.executable
    return "companion_script"


def test_a_companion_that_dies_is_reported_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> None:
    name = script(tmp_path, monkeypatch, "import sys\nprint('no camera')\nsys.exit(3)\n")

    with Companion("microscope", [name], tmp_path / "log") as companion:
        eventually(lambda: companion.process.poll() is not None)
        with pytest.raises(SourceError, match=r"microscope ended by itself.*3.*no camera"):
            companion.require_alive()


def test_a_companion_is_stopped_when_its_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = script(tmp_path, monkeypatch, "import time\ntime.sleep(600)\n")

    with Companion("daemon", [name], tmp_path / "log") as companion:
        companion.require_alive()

    assert companion.process.poll() is not None
