"""A frame that crashes the process each time does not delay the others."""

import signal
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.store.read.second_tries import SINCE
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

BEFORE, POISON, AFTER = (f"P1_A1_s0_t{index:04d}_phase.tif" for index in range(3))


# Three starts of some seconds each, more on a busy machine.
@pytest.mark.timeout(180)
def test_a_frame_that_crashes_the_process_twice_is_quarantined_and_the_others_are_scored(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    save(daemon.incoming / BEFORE, phase)
    daemon.start()
    daemon.eventually(lambda: daemon.states().get(BEFORE) == "done", within_s=30)
    # Large, so that it is under way for long enough to be struck.
    save(daemon.incoming / POISON, np.tile(phase, (4, 4)))
    save(daemon.incoming / AFTER, phase)
    for attempt in (1, 2):
        if attempt > 1:
            daemon.start()
        daemon.eventually(lambda: _claimed(daemon) == attempt, within_s=30)  # noqa: B023
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        assert _claimed(daemon) == attempt
    # As if the second kill had come between the pictures and the commit of the frame.
    pictures = daemon.state / "overlays"
    drawn = [path for path in pictures.rglob("*") if path.is_file()]
    assert [path.name for path in drawn if "_t0000_" not in path.name] == []
    for path in drawn:
        path.with_name(path.name.replace("_t0000_", "_t0001_")).write_bytes(path.read_bytes())
    daemon.start()
    daemon.eventually(lambda: daemon.states().get(AFTER) == "done", within_s=30)
    assert daemon.states() == {BEFORE: "done", POISON: "quarantined", AFTER: "done"}
    (frame,) = (frame for frame in daemon.frames() if frame.locator.endswith(POISON))
    assert frame.reason == "failed 2 times: it took the daemon down, or never ended"
    assert daemon.count("frame given up") == 1
    assert daemon.count("pictures without a result removed") == 1
    left = sorted(path.name for path in pictures.rglob("*") if path.is_file())
    assert [name for name in left if "_t0001_" in name] == []
    assert len(left) == 2 * len(drawn) == 4
    assert daemon.end() == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dies", [False, True])
def test_a_frame_that_was_given_up_is_tried_once_more_after_a_hundred_others(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, dies: bool
) -> None:
    save(daemon.incoming / POISON, np.tile(phase, (4, 4)))
    for attempt in (1, 2):
        daemon.start()
        daemon.eventually(lambda: _claimed(daemon) == attempt, within_s=60)  # noqa: B023
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
    daemon.start()
    daemon.eventually(lambda: daemon.states() == {POISON: "quarantined"}, within_s=60)
    others = [f"P1_B{1 + index % 12}_s{index // 12}_t0000_phase.tif" for index in range(SINCE)]
    for name in others[:-1]:
        save(daemon.incoming / name, phase[:128, :128])
    daemon.eventually(lambda: _settled(daemon) == SINCE, within_s=120)
    assert daemon.count("frame that was given up is tried once more") == 0
    save(daemon.incoming / others[-1], phase[:128, :128])
    if dies:
        daemon.eventually(lambda: _claimed(daemon) == 3, within_s=60)
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
        daemon.start()
    daemon.eventually(
        lambda: daemon.states().get(POISON) == ("quarantined" if dies else "done"), within_s=60
    )
    assert daemon.count("frame that was given up is tried once more") == 1
    (frame,) = (frame for frame in daemon.frames() if frame.locator.endswith(POISON))
    failed_again = "failed 3 times: it took the daemon down, or never ended"
    assert frame.reason == (failed_again if dies else None)
    assert daemon.count("frame given up") == 1 + dies
    assert daemon.end(within_s=20) == 0
    assert sorted(state for name, state in daemon.states().items() if name != POISON) == (
        ["done"] * SINCE
    )


def _settled(daemon: Daemon) -> int:
    """Return how many frames are settled, the one that was given up included."""
    return sum(state in {"done", "quarantined"} for state in daemon.states().values())


def _claimed(daemon: Daemon) -> int:
    """Attempts at the poison frame while it is under way, as the ledger counts them; else 0."""
    if not daemon.count("source watching"):
        return 0  # there is no database before
    with closing(sqlite3.connect(f"file:{daemon.state}/scopewatch.db?mode=ro", uri=True)) as ledger:
        rows = ledger.execute(
            "SELECT attempts FROM frames WHERE state = 'claimed' AND locator LIKE ?",
            (f"%{POISON}",),
        ).fetchall()
    return int(rows[0][0]) if rows else 0
