"""The example programs run against a real daemon and its export."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.receivers import free_port

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_example_programs_read_the_api_and_the_export(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, tmp_path: Path
) -> None:
    port = free_port()
    daemon.settings["web"] = {"port": port}
    rule = {"name": "weak", "kind": "weak-now", "target": 0.99, "from_day": 0, "consecutive": 1}
    daemon.settings["alerts"] = {"rules": [rule]}
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=20)

    asked = run("read_api.py", f"http://127.0.0.1:{port}")
    assert asked.stderr == ""
    first, flagged = asked.stdout.splitlines()
    assert first.startswith("run 1: ")
    assert flagged.startswith("P1 A1: ")
    assert flagged.endswith(", weak")
    assert asked.returncode in {0, 1}

    out = tmp_path / "results.csv"
    assert daemon.ask("export", "--format", "csv", "--out", str(out)).returncode == 0
    exported = run("read_export.py", str(out))
    assert exported.stderr == ""
    (line,) = exported.stdout.splitlines()
    assert line.startswith("run 1  P1  A1: ")
    assert line.endswith("forecast by day 5: none  simulated")
    assert daemon.end() == 0
