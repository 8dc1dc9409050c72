"""The class of the real microscope without one: messages about what is missing."""

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from tests.unit.sources.time_lapse_scene import settings


def real(path: Path, **changes: Any) -> PycroManagerMicroscope:
    return PycroManagerMicroscope(settings(path, **changes), "x")


def test_a_bridge_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("pycromanager", reason="pycro-manager is an extra")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    with pytest.raises(SourceError) as caught:
        real(tmp_path, backend="java", port=port).open()
    assert str(caught.value) == (
        f"no Micro-Manager answers: 127.0.0.1:{port} (got Connection refused);"
        " start Micro-Manager and tick Tools > Options > Run server on port"
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mm_app_path": Path("/nowhere")}, "Micro-Manager's device adapters are not there: /nowh"),
        ({"mm_app_path": Path("/"), "mm_config": Path("/x.cfg")}, "hardware configuration is not"),
    ],
)
def test_missing_adapters_and_configurations_are_named(
    tmp_path: Path, changes: dict[str, Any], line: str
) -> None:
    pytest.importorskip("pycromanager", reason="pycro-manager is an extra")
    with pytest.raises(SourceError, match=line):
        real(tmp_path, **changes).open()


def test_closing_a_microscope_that_was_never_opened_is_harmless(tmp_path: Path) -> None:
    microscope = real(tmp_path)
    microscope.interrupt()
    microscope.close()
    shutil.rmtree(tmp_path)
