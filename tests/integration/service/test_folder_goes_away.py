"""A real daemon reports that the folder of its data sets is gone, and uses it once it is back."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemon import Daemon
from tests.integration.full_disk import small_file_system

pytestmark = pytest.mark.timeout(180)

FOLLOW = {"kind": "micromanager", "mode": "follow"}
RULE = {"name": "dead", "kind": "source-dead", "minutes": 0.05, "cooldown_h": 0.001}


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
