"""Backend java over a stand-in for a running Micro-Manager: it answers, is slow, dies and hangs."""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.devices.bridge import BoundedCore
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.examining import examine_running
from scopewatch.sources.micromanager.images import events_of
from tests.hardware.acquiring_daemon import on_disk
from tests.hardware.demo_core import POSITIONS, settings
from tests.hardware.java_program import MicroManagerProgram

pytestmark = [
    pytest.mark.hardware,
    # pyjavaz leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:Unclosed socket <zmq:ResourceWarning"),
    # Its thread raises where nobody answers its first message.
    pytest.mark.filterwarnings(
        "ignore:Exception in thread BridgeSocket:pytest.PytestUnhandledThreadExceptionWarning"
    ),
]

# Long enough for an answer on a machine that is busy with other tests.
PATIENCE_S = 8.0


@pytest.fixture
def program(threads: None) -> Iterator[MicroManagerProgram]:
    made = MicroManagerProgram()
    yield made
    made.kill()
    gc.collect()
    # Threads of pyjavaz end a moment after their bridge.
    until = time.monotonic() + 5
    while threading.active_count() > 1 and time.monotonic() < until:
        time.sleep(0.05)


def opened(
    folder: Path, port: int, *, patience_s: float = PATIENCE_S, **changes: Any
) -> PycroManagerMicroscope:
    config = settings(folder, backend="java", port=port, **changes)
    made = PycroManagerMicroscope(config, "HES_7", patience_s=patience_s)
    made.open()
    return made


def take(microscope: PycroManagerMicroscope, folder: Path, time_point: int) -> list[str]:
    saved: list[str] = []
    events = events_of(settings(folder), time_point).values()
    microscope.acquire(list(events), lambda axes: saved.append(f"{axes['position']}"))
    return saved


def test_images_over_the_bridge_are_taken_where_they_are_planned(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    microscope = opened(tmp_path, program.port)
    assert len(take(microscope, tmp_path, 0)) == 6
    assert len(take(microscope, tmp_path, 1)) == 6
    microscope.close()
    taken = {
        (axes["time"], axes["position"], axes["channel"]): metadata["XPosition_um_Intended"]
        for axes, metadata in on_disk(tmp_path)
    }
    assert taken == {
        (time_point, position.label, channel): position.x_um
        for time_point in (0, 1)
        for position in POSITIONS
        for channel in ("FITC", "DAPI")
    }


def test_a_running_micro_manager_is_asked_what_it_has(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    found = examine_running(settings(tmp_path, backend="java", port=program.port))
    assert (found.camera, found.xy_stage, found.focus) == ("Camera", "XY", "Z")
    assert found.version.startswith("MMCore version ")
    assert found.version.endswith(", bridge 5.1.0")
    assert {"Camera", "XY", "Z", "Autofocus", "Core"} <= set(found.devices)
    assert found.presets["Channel"] == ("Cy5", "DAPI", "FITC", "Rhodamine")


def test_a_bridge_that_answers_slowly_gives_all_images(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start(delay_s=0.1)
    with closing(opened(tmp_path, program.port, patience_s=60)) as microscope:
        assert len(take(microscope, tmp_path, 0)) == 6
    assert len(list(on_disk(tmp_path))) == 6


def test_a_micro_manager_that_dies_is_reported_and_used_once_it_is_back(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    microscope = opened(tmp_path, program.port)
    take(microscope, tmp_path, 0)
    program.kill()
    began_s = time.monotonic()
    with pytest.raises(SourceError, match=r"microscope failed: java backend \(got no Micro-Manag"):
        take(microscope, tmp_path, 1)
    microscope.close()
    assert time.monotonic() - began_s < 3 * PATIENCE_S + 20
    with pytest.raises(SourceError, match="no Micro-Manager answers: 127"):
        microscope.open()
    program.start()
    microscope.open()
    assert len(take(microscope, tmp_path, 1)) == 6
    microscope.close()
    again = sorted(tmp_path.iterdir())[-1]
    assert again.name == "HES_7_2"


def test_a_micro_manager_that_hangs_holds_nothing_up_for_good(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    microscope = opened(tmp_path, program.port)
    take(microscope, tmp_path, 0)
    program.hang()
    with pytest.raises(SourceError, match="no answer within 8 s"):
        take(microscope, tmp_path, 1)
    microscope.close()
    with pytest.raises(SourceError, match="a connection, and no answer within 5 s"):
        microscope.open()
    program.go_on()
    microscope.open()
    assert len(take(microscope, tmp_path, 1)) == 6
    microscope.close()


def test_a_search_that_hangs_is_left_off_when_the_daemon_ends(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    stopping = threading.Event()
    core = BoundedCore(program.port, stopping.is_set)
    assert core.get_focus_device() == "Z"
    program.hang()
    stopping.set()
    began_s = time.monotonic()
    with pytest.raises(SourceError, match="no Micro-Manager answers"):
        core.get_position("Z")
    assert time.monotonic() - began_s < 10
    program.kill()


def test_an_exception_of_java_is_reported_without_its_stack(
    tmp_path: Path, program: MicroManagerProgram
) -> None:
    program.start()
    blocked = tmp_path / "blocked"
    blocked.touch()
    microscope = opened(blocked / "data", program.port)
    with pytest.raises(SourceError, match="Not a directory") as caught:
        take(microscope, tmp_path, 0)
    assert ".java" not in str(caught.value)
    microscope.close()
