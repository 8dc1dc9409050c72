"""A running daemon tries quarantined frames again when another process asks for it."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

MENDED, CUT, ODD, GOOD = (
    "P1_A1_s0_t0000_phase.tif",
    "P1_A2_s0_t0000_phase.tif",
    "what is this.tif",
    "P1_A3_s0_t0000_phase.tif",
)
pytestmark = pytest.mark.timeout(300)
WITHIN_S = 90.0


def reasons(daemon: Daemon) -> dict[str, str]:
    if not daemon.frames():
        return {}
    with daemon.reader() as reader:
        return {Path(row.locator).name: row.reason for row in reader.quarantined(None, 100)}


@pytest.fixture
def quarantined(daemon: Daemon, phase: NDArray[np.uint16], save: Save) -> Daemon:
    """A daemon that scored one of four files and scans its folder hourly, without events."""
    daemon.settings["runtime"]["rescan_s"] = 3600
    daemon.settings["sources"][0] |= {"observer": "polling", "poll_s": 3600}
    for name in (MENDED, CUT, ODD, GOOD):
        save(daemon.incoming / name, phase[:256, :256])
    for name in (MENDED, CUT):
        path = daemon.incoming / name
        whole = path.read_bytes()
        (daemon.root / name).write_bytes(whole)
        path.write_bytes(whole[:1000] + bytes(len(whole) - 1000))
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: set(reasons(daemon)) == {MENDED, CUT, ODD}, within_s=WITHIN_S)
    daemon.eventually(lambda: daemon.states().get(GOOD) == "done", within_s=WITHIN_S)
    return daemon


def mend(daemon: Daemon, name: str) -> None:
    """Make a file complete; only its content shows that."""
    path = daemon.incoming / name
    state = path.stat()
    with path.open("r+b", buffering=0) as file:
        file.write((daemon.root / name).read_bytes())
        os.utime(file.fileno(), ns=(state.st_atime_ns, state.st_mtime_ns))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_each_has_its_outcome_once_and_the_log_says_who_asked(quarantined: Daemon) -> None:
    daemon = quarantined
    seen = {frame.locator: frame.seen_at for frame in daemon.frames()}
    mend(daemon, MENDED)
    (daemon.incoming / ODD).unlink()
    before = daemon.count("frame quarantined")
    asked = daemon.ask("retry", "--all")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == "3 to be tried again, within seconds\n"
    daemon.eventually(lambda: daemon.states().get(MENDED) == "done", within_s=WITHIN_S)
    daemon.eventually(lambda: "to be tried again is gone" in reasons(daemon).get(ODD, ""), WITHIN_S)
    daemon.eventually(lambda: daemon.count("frame quarantined") > before, within_s=WITHIN_S)
    assert set(reasons(daemon)) == {CUT, ODD}
    assert daemon.count("frame scored") == 2
    assert {frame.locator: frame.seen_at for frame in daemon.frames()} == seen
    (entry,) = [
        entry
        for entry in daemon.log_lines()
        if entry["message"] == "things in quarantine are tried again: somebody asked for it"
    ]
    assert entry["event.count"] == 3
    assert entry["event.asked_by"].endswith(", command line")
    # Nothing is left to be tried, by the next start neither.
    assert daemon.end(within_s=20) == 0
    quarantines = daemon.count("frame quarantined")
    daemon.start_ready(within_s=WITHIN_S)
    assert daemon.ask("retry").stdout.count("are to be tried again") == 0
    assert daemon.end(within_s=20) == 0
    assert (daemon.count("frame scored"), daemon.count("frame quarantined")) == (2, quarantines)


def test_what_was_asked_for_while_no_daemon_ran_is_tried_at_its_start(quarantined: Daemon) -> None:
    daemon = quarantined
    assert daemon.end(within_s=20) == 0
    mend(daemon, MENDED)
    asked = daemon.ask("retry", str(daemon.incoming / MENDED), "P9/A1")
    assert asked.stdout == "1 to be tried again, once the daemon is started\n"
    assert asked.stderr.startswith("not in quarantine: P9/A1; ")
    daemon.start_ready(within_s=WITHIN_S)
    daemon.eventually(lambda: daemon.states().get(MENDED) == "done", within_s=WITHIN_S)
    assert daemon.count("frame scored") == 2
    assert set(reasons(daemon)) == {CUT, ODD}
    assert daemon.end(within_s=20) == 0
