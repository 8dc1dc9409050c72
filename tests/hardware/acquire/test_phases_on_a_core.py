"""A real daemon acquires with a real core in phases, under the lock of its demo autofocus."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hardware.acquiring_daemon import (
    acquiring,
    acquiring_daemon,
    channel,
    on_disk,
    position,
    stop,
)

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(120)]


def test_phases_periods_and_exposures_are_taken_as_they_are_planned(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    source = acquiring(
        phases=[{"interval_s": 6, "time_points": 2}, {"interval_s": 3, "time_points": 3}],
        positions=[position("A1"), {**position("A2", 900), "exposures_ms": {"DAPI": 9}}],
        channels=[channel("FITC"), {**channel("DAPI"), "every": "final"}],
        focus={"method": "lock", "every": "well"},
    )
    del source["interval_s"], source["time_points"]
    daemon = acquiring_daemon(tmp_path, eventually, source)
    daemon.start_ready()
    try:
        daemon.eventually(lambda: daemon.count("time point acquired") == 5, 60)
        assert daemon.end(within_s=20) == 0
    finally:
        stop(daemon)
    images = list(on_disk(daemon.root / "data"))
    counted = Counter((axes["channel"], axes["time"]) for axes, _ in images)
    assert counted == {("FITC", index): 2 for index in range(5)} | {("DAPI", 4): 2}
    exposed = {
        (axes["position"], tags["Exposure"]) for axes, tags in images if axes["channel"] == "DAPI"
    }
    assert exposed == {("A1", 5), ("A2", 9)}
    # Under the lock nothing reads the height.
    assert not any("ZPosition_um_Intended" in tags for _, tags in images)
    found = [entry for entry in daemon.log_lines() if entry["message"] == "focus found"]
    assert [entry["event.found"] for entry in found] == [2] * 5
    assert daemon.count("focus failed") == 0
    assert not [frame for frame in daemon.frames() if frame.fault == "gap"]
