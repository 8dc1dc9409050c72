"""The real daemon while a microscope saves faster than a stage moves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.daemon import Daemon

WAITS, GOES_ON = "scoring waits for a burst of images", "scoring goes on"
BACKLOG = 12


@contextmanager
def saving(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save, well: str
) -> Iterator[Callable[[], int]]:
    """Save twenty images a second until stopped; yields how many there are."""
    over = threading.Event()
    saved: list[str] = []

    def run() -> None:
        while not over.wait(0.05):
            save(daemon.incoming / f"P1_{well}_s0_t{len(saved):04d}_phase.tif", phase)
            saved.append(well)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lambda: len(saved)
    finally:
        over.set()
        thread.join()


def test_a_burst_is_scored_after_it_and_can_be_stopped_in(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    del daemon.settings["runtime"]["burst_wait_s"]
    for time_point in range(BACKLOG):
        save(daemon.incoming / f"P1_A1_s0_t{time_point:04d}_phase.tif", phase)
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("frame scored") == BACKLOG, within_s=40)
    assert daemon.count(WAITS) == 0, "files from before the start are no burst"
    with saving(daemon, phase, save, "A2") as saved:
        daemon.eventually(lambda: daemon.count(WAITS) > 0, within_s=40)
    daemon.eventually(lambda: daemon.count("frame scored") == BACKLOG + saved(), within_s=40)
    waiting = scored = 0
    for entry in daemon.log_lines():
        waiting += (entry["message"] == WAITS) - (entry["message"] == GOES_ON)
        scored = scored + (entry["message"] == "frame scored") if waiting else 0
        assert scored <= 1, "none but the current one"
    before = daemon.count(WAITS)
    with saving(daemon, phase, save, "A3"):
        daemon.eventually(lambda: daemon.count(WAITS) > before, within_s=40)
        assert daemon.end() == 0
    assert daemon.log_lines()[-1]["event.clean"] is True
    assert set(daemon.states().values()) == {"done"}
