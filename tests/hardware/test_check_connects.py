"""`check --connect` loads a real core and moves nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmpycorex import Core

from scopewatch.sources.micromanager import examining
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.examining import Examined, examine
from tests.hardware.acquiring_daemon import acquiring, acquiring_daemon, channel, position, write
from tests.hardware.demo_core import adapters, settings

pytestmark = pytest.mark.hardware

DEMO = Path(adapters.device_adapter_path()) / "MMConfig_demo.cfg"


def state() -> tuple[str, float, float]:
    core = Core()
    return core.get_property("Objective", "State"), core.get_x_position(), core.get_position()


def test_nothing_is_moved_not_even_by_the_preset_of_the_start(
    tmp_path: Path, threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = tmp_path / "scope.cfg"
    startup = "ConfigGroup,System,Startup,Objective,State,3\n"
    setup.write_text(DEMO.read_text(encoding="utf-8") + startup, encoding="utf-8")
    config = settings(tmp_path / "data", mm_config=setup)
    seen: list[tuple[str, float, float]] = []
    look = examining._look

    def watched(core: Any) -> Examined:
        seen.append(state())
        return look(core)

    monkeypatch.setattr(examining, "_look", watched)
    found = examine(config)
    assert (found.camera, found.xy_stage, found.focus) == ("Camera", "XY", "Z")
    assert "FITC" in found.presets["Channel"]
    microscope = PycroManagerMicroscope(config, "HES_7")
    microscope.open()
    seen.append(state())
    microscope.close()
    (before, *stage), (started, *_) = seen
    assert before != "3"
    assert started == "3", "the preset that Micro-Manager applies"
    assert stage == [0.0, 0.0]
    assert not (tmp_path / "data").exists()


def test_check_says_what_the_core_has_and_what_it_lacks(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    setup = tmp_path / "scope.cfg"
    lines = DEMO.read_text(encoding="utf-8").splitlines()
    without_focus = [line for line in lines if "Focus,Z" not in line and ",Z," not in line]
    setup.write_text("\n".join(lines), encoding="utf-8")
    source = acquiring(mm_config=str(setup), positions=[position("A1", 0, 1.0)])
    daemon = acquiring_daemon(tmp_path, eventually, source)
    daemon.settings["experiment"]["interval_h"] = 1
    write(daemon)
    asked = daemon.ask("check", "--connect")
    assert asked.returncode == 0, asked.stdout
    assert "the core loads: camera Camera, stage XY, focus Z; nothing was moved" in asked.stdout
    assert asked.stderr == ""

    setup.write_text("\n".join(without_focus), encoding="utf-8")
    source["channels"] = [channel(), channel("Blue")]
    write(daemon)
    asked = daemon.ask("check", "--connect")
    assert asked.returncode == 1
    assert "the core has no focus drive" in asked.stdout
    assert asked.stdout.count("got preset 'Blue' of group 'Channel'") == 2, (
        "from the file and from the core"
    )
    setup.write_text("Device,Camera,DemoCamera,NoSuchCamera\n", encoding="utf-8")
    asked = daemon.ask("check", "--connect")
    assert "FAIL  source scope: microscope failed: python backend (got" in asked.stdout
    assert "Traceback" not in asked.stdout + asked.stderr


def test_a_microscope_that_a_daemon_has_is_left_to_it(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    daemon = acquiring_daemon(tmp_path, eventually)
    daemon.settings["experiment"]["interval_h"] = 1
    daemon.start_ready()
    asked = daemon.ask("check", "--connect")
    assert "not connected: a daemon with this state folder runs" in asked.stdout
    assert daemon.end(within_s=20) == 0
