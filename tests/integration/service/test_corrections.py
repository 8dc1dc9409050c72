"""After a correction of a configuration that refused every file, the daemon scores each once."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

WELLS = tuple(f"{row}{column}" for row in "ABC" for column in range(1, 5))
NAMES = tuple(f"P1_{well}_s0_t{index:04d}_phase.tif" for index in range(3) for well in WELLS)
pytestmark = pytest.mark.timeout(300)
WITHIN_S = 90.0
# Wrong settings of the source and of the run, and the state of the files under them.
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "pattern": ({"pattern": "incucyte"}, {}, "refused"),
    "scale": ({"um_per_px": 9.0}, {}, "wrong-scale"),
    "channel": ({}, {"phase_channel": "brightfield"}, "skipped"),
    # Wrong keys, each already taken by another file.
    "both": ({"um_per_px": 9.0, "pattern": r"(?P<plate>P1)_.*_t(?P<time_point>\d+)_"}, {}, ""),
}


def correct(daemon: Daemon, how: str, source: dict[str, Any], run: dict[str, Any]) -> None:
    """Remove the wrong settings and reload the daemon."""
    for name in source:
        del daemon.settings["sources"][0][name]
    for name in run:
        del daemon.settings["experiment"][name]
    if how == "restart":
        assert daemon.end(within_s=20) == 0
        daemon.start_ready(within_s=WITHIN_S)
        return
    daemon.config.write_text(yaml.safe_dump(daemon.settings), encoding="utf-8")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.eventually(lambda: daemon.count("configuration taken up") == 1, within_s=WITHIN_S)


def verdicts(daemon: Daemon) -> list[str]:
    """Why each file has no result: its fault, or that it was skipped."""
    skipped = [frame for frame in daemon.frames() if frame.state == "skipped"]
    if not (daemon.state / "scopewatch.db").exists():
        return []
    with daemon.reader() as reader:
        return [row.fault for row in reader.quarantined(None, 100)] + ["skipped"] * len(skipped)


@pytest.mark.parametrize("how", ["restart", "reload"])
@pytest.mark.parametrize("what", WRONG)
def test_all_files_are_scored_once_after_the_correction(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, what: str, how: str
) -> None:
    source, run, fault = WRONG[what]
    daemon.settings["sources"][0] |= source
    daemon.settings["experiment"] |= run
    daemon.settings["alerts"] = {"rules": [{"name": "unfit", "kind": "unfit-frames"}]}
    for name in NAMES:
        save(daemon.incoming / name, phase[:256, :256])
    daemon.start_ready(within_s=WITHIN_S)
    if fault:
        daemon.eventually(lambda: verdicts(daemon) == [fault] * 36, within_s=WITHIN_S)
    else:
        daemon.eventually(lambda: len(verdicts(daemon)) == 36, within_s=WITHIN_S)
        assert set(verdicts(daemon)) == {"wrong-scale", "replaced"}
    assert daemon.count("frame scored") == 0
    correct(daemon, how, source, run)
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 36, within_s=WITHIN_S)
    assert daemon.states() == dict.fromkeys(NAMES, "done")
    assert verdicts(daemon) == []
    assert daemon.count("frame scored") == 36
    assert {frame.attempts for frame in daemon.frames()} == {1}
    assert {frame.key.plate for frame in daemon.frames()} == {"P1"}
    named = {(Path(frame.locator).name, frame.key.well) for frame in daemon.frames()}
    assert named == {(name, name.split("_")[1]) for name in NAMES}
    with daemon.reader() as reader:
        assert reader.alerts(None, 9, open_only=True) == []
    assert daemon.end(within_s=20) == 0
    # The next start reads none of them again.
    daemon.start_ready(within_s=WITHIN_S)
    assert daemon.end(within_s=20) == 0
    assert daemon.count("frame scored") == 36


def test_a_change_of_the_time_alone_scores_nothing_and_moves_nothing(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    names = NAMES[:6]
    for index, name in enumerate(names):
        save(daemon.incoming / name, np.roll(phase, 37 * index, axis=1)[:256, :256])
    daemon.settings["experiment"]["day_from"] = "acquired_at"
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 6, within_s=WITHIN_S)
    before = daemon.frames()
    for name in names[:3]:
        os.utime(daemon.incoming / name)
    daemon.eventually(
        lambda: daemon.count("file was rewritten with the same pixels") == 3, within_s=WITHIN_S
    )
    assert daemon.end(within_s=20) == 0
    for name in names[3:]:
        os.utime(daemon.incoming / name)
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(
        lambda: daemon.count("file was rewritten with the same pixels") == 6, within_s=WITHIN_S
    )
    assert daemon.frames() == before
    assert daemon.count("frame scored") == 6
    # A file with other pixels is a new frame.
    save(daemon.incoming / names[0], phase[256:, 256:])
    daemon.eventually(lambda: daemon.count("frame scored") == 7, within_s=WITHIN_S)
    assert daemon.count("frame changed since it was seen, scored again") == 1
    assert daemon.end(within_s=20) == 0


def test_names_that_are_read_otherwise_are_reported_and_results_stay(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    wrong = r"(?P<plate>P1)_(?P<well>[A-C])\d_s(?P<site>\d)_t(?P<time_point>\d+)_(?P<channel>phase)"
    daemon.settings["sources"][0]["pattern"] = wrong
    names = [f"P1_{row}1_s0_t{index:04d}_phase.tif" for index in range(2) for row in "ABC"]
    for name in names:
        save(daemon.incoming / name, phase[:256, :256])
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: list(daemon.states().values()) == ["done"] * 6, within_s=WITHIN_S)
    correct(daemon, "restart", {"pattern": wrong}, {})
    daemon.eventually(
        lambda: daemon.count("frame was scored under another name") == 6, within_s=WITHIN_S
    )
    assert verdicts(daemon) == ["contradiction"] * 6
    assert {frame.key.well for frame in daemon.frames()} == {"A", "B", "C"}
    assert daemon.end(within_s=20) == 0
    daemon.start_ready(within_s=WITHIN_S)
    assert daemon.end(within_s=20) == 0
    assert daemon.count("frame was scored under another name") == 6, "logged once"
    # As the message advises: after a change of the names all are scored under the right ones.
    daemon.settings["experiment"]["name"] = "run 1, corrected"
    daemon.settings["sources"][0]["name"] = "folder-again"
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: daemon.count("frame scored") == 12, within_s=WITHIN_S)
    right = [frame for frame in daemon.frames() if frame.key.run == "run 1, corrected"]
    assert sorted(frame.key.well for frame in right) == ["A1", "A1", "B1", "B1", "C1", "C1"]
    assert daemon.end(within_s=20) == 0
