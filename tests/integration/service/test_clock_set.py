"""The time of day is set while the real daemon runs: everything goes on, without an alert."""

import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import RunConfig
from scopewatch.runtime.clock import SystemClock
from tests.integration.clocks import SettableClock
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.receivers import Hook, Serving
from tests.unit.notify.fakes import message
from tests.unit.store.scene import composer_of

HOUR_S = 3600
STALL_S, END_S = 5, 2
# With a stalled stage the daemon would have ended by now.
SOON_S = STALL_S + END_S + 6

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def clock(tmp_path: Path) -> SettableClock:
    return SettableClock(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def healthz(port: int) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
    return answer.status_code, answer.json()


def save_frame(
    daemon: Daemon, into: Path, name: str, phase: NDArray[np.uint16], save: Save
) -> None:
    """Move a frame into a folder from outside: watchdog misses a rename within the folder."""
    save(daemon.root / name, phase)
    (daemon.root / name).rename(into / name)


@pytest.mark.parametrize("by_s", [-2 * HOUR_S, 2 * HOUR_S], ids=["back", "forward"])
def test_the_clock_is_set_by_two_hours_and_nothing_stops(
    daemon: Daemon, clock: SettableClock, phase: NDArray[np.uint16], save: Save, by_s: int
) -> None:
    scanned, port, hook = daemon.root / "scanned", free_port(), Hook(status=500)
    scanned.mkdir()
    with Serving(hook):
        # Two hours are four such intervals.
        daemon.settings["experiment"]["interval_h"] = 0.5
        # Only the scheduled rescans find files here.
        daemon.settings["sources"] += [
            {
                "kind": "folder",
                "name": "scanned",
                "path": "scanned",
                "observer": "polling",
                "poll_s": 3600,
                "settle_s": 0.2,
            }
        ]
        daemon.settings["web"] = {"port": port}
        daemon.settings["runtime"] |= {"stall_s": STALL_S, "end_on_stall_s": END_S}
        daemon.settings["alerts"] = {
            "rules": [{"name": kind, "kind": kind} for kind in ("no-frames", "source-dead")],
            "channels": [{"name": "hook", "url": f"json://127.0.0.1:{hook.port}/alerts"}],
            "retry_s": 1,
            "break_after": 1000,
        }
        daemon.start_ready(clock.environ, within_s=60)
        save_frame(daemon, daemon.incoming, "P1_A1_s0_t0000_phase.tif", phase, save)
        save_frame(daemon, scanned, "P1_A2_s0_t0000_phase.tif", phase, save)
        daemon.eventually(lambda: daemon.count("frame scored") == 2, within_s=60)
        policy = policy_of(RunConfig(name="run 1"))
        store = Store.open(
            daemon.state, policy=policy, composer=composer_of(policy), clock=SystemClock()
        )
        store.announce(message(), ["hook"])
        store.close()
        daemon.eventually(lambda: daemon.count("alert not delivered, trying again") >= 1, 30)

        clock.set_by(by_s)
        hook.status = 200
        daemon.eventually(lambda: daemon.count("clock was set") == 1, within_s=40)
        save_frame(daemon, daemon.incoming, "P1_A1_s0_t0001_phase.tif", phase, save)
        save_frame(daemon, scanned, "P1_A2_s0_t0001_phase.tif", phase, save)
        daemon.eventually(lambda: daemon.count("frame scored") == 4, within_s=60)
        time.sleep(SOON_S)
        assert daemon.process is not None
        assert daemon.process.poll() is None, "the daemon ended"
        status, health = healthz(port)
        assert (status, health["healthy"], health["detail"]) == (200, True, [])
        save_frame(daemon, scanned, "P1_A2_s0_t0002_phase.tif", phase, save)
        daemon.eventually(lambda: daemon.count("frame scored") == 5, within_s=60)
        daemon.eventually(lambda: daemon.count("alert delivered") == 1, within_s=30)
        with daemon.reader() as reader:
            assert reader.alerts(None, 9) == []
            last_at = reader.counts().last_frame_at
        assert daemon.end() == 0
    (entry,) = [entry for entry in daemon.log_lines() if entry["message"] == "clock was set"]
    assert abs(entry["event.by_s"] - by_s) <= 1
    assert last_at is not None
    if by_s > 0:
        assert last_at > datetime.now(UTC) + timedelta(seconds=by_s - 120), "its clock was set"
    assert [post["title"] for _, post in hook.posts] == ["A1: weak"]
