"""A real daemon reports that the folder of its data sets is gone, and uses it once it is back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tifffile

from tests.integration.daemon import Daemon
from tests.integration.full_disk import small_file_system
from tests.unit.sources.images import pixels
from tests.unit.sources.ndtiffs import write_data_set
from tests.unit.sources.zarrs import ZarrStore

pytestmark = pytest.mark.timeout(180)

FOLLOW = {"kind": "micromanager", "mode": "follow"}
FOLDER = {"kind": "folder", "settle_s": 0.2}
RULE = {"name": "dead", "kind": "source-dead", "minutes": 0.05, "cooldown_h": 0.001}


def fill(data: Path, kind: str) -> None:
    """Write one frame as the writers of this kind of source do."""
    data.mkdir(exist_ok=True)
    if kind == "folder":
        tifffile.imwrite(data / "run-1_A1_s0_t0000_phase.tif", pixels(256, 256))
    elif kind == "ome-zarr":
        store = ZarrStore(data)
        store.image(axes="tyx").put()
    else:
        write_data_set(data, times=1, channel="phase")


def begin(daemon: Daemon, source: dict[str, Any]) -> None:
    daemon.settings["sources"] = [{**source, "name": "scope", "path": "data", "poll_s": 0.5}]
    daemon.settings["alerts"] = {"rules": [RULE]}
    daemon.start_ready()


def titles(daemon: Daemon) -> list[str]:
    return [
        entry["event.title"].removeprefix("[SIMULATED] ").split(": ", 1)[1]
        for entry in daemon.log_lines()
        if entry["message"] == "alert changed"
    ]


@pytest.mark.parametrize("source", [FOLLOW, {"kind": "ndtiff"}, {"kind": "ome-zarr"}])
def test_a_folder_that_is_removed_is_reported_and_taken_back(
    daemon: Daemon, source: dict[str, Any]
) -> None:
    data = daemon.root / "data"
    data.mkdir()
    begin(daemon, source)
    shutil.rmtree(data)
    daemon.eventually(lambda: titles(daemon) == ["a source has given nothing for 0 minutes"], 60)
    (entry,) = [each for each in daemon.log_lines() if each["message"] == "source not watching"][:1]
    assert entry["event.why"] == f"{data} is gone"
    assert "folder of the data sets is gone" in daemon.ask("status").stdout
    data.mkdir()
    daemon.eventually(lambda: titles(daemon)[1:] == ["its sources are watching again"], 90)
    assert daemon.end() == 0


@pytest.mark.parametrize("source", [FOLLOW, {"kind": "ndtiff"}, {"kind": "ome-zarr"}, FOLDER])
def test_a_folder_that_gave_frames_and_went_while_no_daemon_ran_is_reported(
    daemon: Daemon, source: dict[str, Any]
) -> None:
    data = daemon.root / "data"
    fill(data, source["kind"])
    begin(daemon, source)
    daemon.eventually(lambda: len(daemon.frames()) == 1)
    assert daemon.end() == 0
    away = data.rename(daemon.root / "away")
    daemon.start()
    title = "a source has given nothing for 0 minutes"
    daemon.eventually(lambda: titles(daemon) == [title], 60)
    (why, *_) = [
        each["event.why"] for each in daemon.log_lines() if each["message"] == "source not watching"
    ]
    assert "mount its share or disk, or put it back" in why
    away.rename(data)
    daemon.eventually(lambda: titles(daemon)[1:] == ["its sources are watching again"], 90)
    assert daemon.end() == 0
    assert len(daemon.frames()) == 1, "nothing is read twice"


def test_a_share_that_is_unmounted_while_no_daemon_runs_is_reported(daemon: Daemon) -> None:
    data = daemon.root / "data"
    data.mkdir()
    with small_file_system(data, 16):
        fill(data, "folder")
        begin(daemon, FOLDER)
        daemon.eventually(lambda: len(daemon.frames()) == 1)
        assert daemon.end() == 0
    daemon.start()
    daemon.eventually(lambda: titles(daemon) == ["a source has given nothing for 0 minutes"], 60)
    daemon.eventually(lambda: "nothing is mounted on it" in daemon.log.read_text(encoding="utf-8"))
    assert daemon.end() == 0


def test_a_new_run_waits_for_its_folder_in_silence(daemon: Daemon) -> None:
    data = daemon.root / "data"
    fill(data, "ndtiff")
    begin(daemon, FOLLOW)
    daemon.eventually(lambda: len(daemon.frames()) == 1)
    assert daemon.end() == 0
    data.rename(daemon.root / "archive")
    daemon.settings["experiment"]["name"] = "run 2"
    before = daemon.count("source watching")
    begin(daemon, FOLLOW)
    daemon.eventually(lambda: daemon.count("source watching") == before + 1)
    assert daemon.count("source not watching") == 0
    assert daemon.end() == 0


def test_a_folder_that_never_was_is_waited_for_in_silence(daemon: Daemon) -> None:
    begin(daemon, FOLLOW)
    (daemon.root / "data").mkdir()
    daemon.eventually(lambda: daemon.count("source watching") == 1)
    assert daemon.count("source not watching") == 0
    assert daemon.end() == 0


def test_a_share_that_is_unmounted_is_reported(
    daemon: Daemon, eventually: Callable[..., None], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with small_file_system(data, 4):
        begin(daemon, FOLLOW)
        daemon.eventually(lambda: daemon.count("source watching") == 1)
    eventually(lambda: daemon.count("source not watching") == 1, 20)
    assert daemon.end() == 0
