"""Plans that a real core would image in other places are refused before the first image."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycromanager
import pytest
from mmpycorex import Core

from scopewatch.config import PositionConfig
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.hardware.acquiring_daemon import (
    acquiring,
    acquiring_daemon,
    channel,
    position,
    stop,
    write,
)
from tests.hardware.demo_core import CHANNELS, RUN, settings
from tests.integration.daemon import Daemon
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = pytest.mark.hardware


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    made = acquiring_daemon(tmp_path, eventually)
    yield made
    stop(made)


MIXED_FOCUS = [acquiring(positions=[position("A1"), position("A2", 9000, 12.5)])]
SAME_LABEL = [acquiring(positions=[position("A1"), position("B1", 9), position("A1", 18)])]
SAME_WELL = [acquiring(positions=[position("A1"), position("a01", 9)])]
NO_LABEL = [acquiring(positions=[position("A1"), position("none", 9)])]
SAME_PRESET = [acquiring(channels=[channel("Low"), channel("Low", "Other")])]
TWO_CORES = [acquiring(name="left", path="left"), acquiring(name="right", path="right")]
ONE_FOLDER = [acquiring(), {"kind": "micromanager", "mode": "follow", "name": "b", "path": "data"}]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (MIXED_FOCUS, "positions with and without z_um"),
        (SAME_LABEL, "two positions have one label"),
        (SAME_WELL, "two positions are read as one well and site"),
        (NO_LABEL, "two positions are read as one well and site"),
        (SAME_PRESET, "two channels have one preset name"),
        (TWO_CORES, "two sources would drive one Micro-Manager core"),
        (ONE_FOLDER, "two sources would take each other's data sets"),
    ],
)
def test_check_and_start_refuse_such_a_plan_in_one_line(
    daemon: Daemon, sources: list[dict[str, Any]], expected: str
) -> None:
    daemon.settings["sources"] = sources
    daemon.start()
    assert daemon.wait() == 2
    (line,) = [entry["message"] for entry in daemon.log_lines() if "level" not in entry]
    assert line.startswith(expected)
    assert not (daemon.root / "data").exists(), "nothing was acquired"
    checked = daemon.ask("check")
    assert checked.returncode == 1
    assert [each for each in checked.stdout.splitlines() if expected in each] != []


@pytest.mark.parametrize("sources", [MIXED_FOCUS, SAME_WELL, TWO_CORES])
def test_a_reload_to_such_a_plan_is_refused_and_the_time_lapse_goes_on(
    daemon: Daemon, sources: list[dict[str, Any]]
) -> None:
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 40)
    daemon.settings["sources"] = sources
    write(daemon)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.eventually(lambda: daemon.count("reload refused") == 1, 40)
    assert daemon.process.poll() is None
    assert daemon.end(within_s=20) == 0


def test_each_position_is_imaged_in_its_own_focus_at_every_time_point(
    tmp_path: Path, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, str, float, float]] = []
    real = pycromanager.Acquisition

    def look(event: dict[str, Any]) -> dict[str, Any]:
        core, axes = Core(), event["axes"]
        where = core.get_x_position(), core.get_position()
        seen.append((axes["time"], axes["position"], *(round(each, 2) for each in where)))
        return event

    monkeypatch.setattr(
        pycromanager,
        "Acquisition",
        lambda **options: real(**options, post_hardware_hook_fn=look),
    )
    positions = (
        PositionConfig(label="A1", x_um=0, y_um=0, z_um=0),
        PositionConfig(label="A2", x_um=9000, y_um=0, z_um=12.5),
    )
    source = MicroManagerSource(
        settings(tmp_path, positions=positions, channels=CHANNELS[:1]), RUN, RealClock()
    )
    source.start(FakeInbox(), FakeLedger())
    assert source.acquire_time_point(0)
    assert source.acquire_time_point(1)
    source.stop()
    assert seen == [
        (time, label, x_um, z_um)
        for time in range(2)
        for label, x_um, z_um in (("A1", 0.0, 0.0), ("A2", 9000.0, 12.5))
    ]
