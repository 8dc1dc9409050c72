"""Delivery, heartbeat and digest as the whole daemon runs them."""

import json
import socket
from datetime import datetime

import httpx
import numpy as np
from numpy.typing import NDArray

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import RunConfig
from scopewatch.runtime.clock import SystemClock
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.receivers import Hook, Serving
from tests.unit.notify.fakes import message
from tests.unit.store.scene import composer_of


def test_the_daemon_ends_in_time_though_a_receiver_hangs(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/alerts"
        daemon.settings["alerts"] = {"channels": [{"name": "hook", "url": url}]}
        policy = policy_of(RunConfig(name="run 1"))
        store = Store.open(
            daemon.state, policy=policy, composer=composer_of(policy), clock=SystemClock()
        )
        store.announce(message(), ["hook"])
        daemon.start_ready()
        connection, _ = silent.accept()
        assert daemon.end(within_s=5) == 0, "the receiver has the message and does not answer"
        connection.close()
        (waiting,) = store.due(SystemClock().now(), 10)
        assert waiting.attempts == 0
        store.close()
    (stopped,) = [entry for entry in daemon.log_lines() if entry["message"] == "stopped"]
    assert stopped["event.clean"] is True


def test_a_receiver_that_rests_is_reported_by_status_health_check_and_dashboard(
    daemon: Daemon,
) -> None:
    hook = Hook(status=500)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    daemon.settings["web"] = {"port": port}
    with Serving(hook):
        daemon.settings["alerts"] = {
            "channels": [
                {"name": "hook", "url": f"json://me:s3cret-word@127.0.0.1:{hook.port}/alerts"}
            ],
            "retry_s": 0.2,
            "break_after": 2,
        }
        policy = policy_of(RunConfig(name="run 1"))
        store = Store.open(
            daemon.state, policy=policy, composer=composer_of(policy), clock=SystemClock()
        )
        store.announce(message(), ["hook"])
        store.close()
        daemon.start_ready()
        daemon.eventually(
            lambda: daemon.count("channel fails again and again, it rests") == 1, within_s=40
        )
        health = httpx.get(f"http://127.0.0.1:{port}/healthz")
        status = daemon.ask("status").stdout
        page = httpx.get(f"http://127.0.0.1:{port}/alerts").text
        assert daemon.end(within_s=20) == 0
    (receiver,) = health.json()["receivers"]
    assert (receiver["channel"], receiver["circuit"], receiver["failures"]) == ("hook", "open", 2)
    assert health.status_code == 503
    assert health.json()["detail"] == ["alert channel hook has failed 2 times in a row"]
    assert "alert channel hook: rests until " in status
    assert "rests until " in page
    assert "500" in receiver["error"]
    assert "s3cret" not in health.text + status + page


def test_the_heartbeat_is_called_and_the_digest_arrives_once(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    hook, beat = Hook(), Hook()
    with Serving(hook), Serving(beat):
        daemon.settings["alerts"] = {
            "channels": [{"name": "hook", "url": f"json://127.0.0.1:{hook.port}/alerts"}],
            "language": "ja",
            "heartbeat": {"url": f"http://127.0.0.1:{beat.port}/s3cret"},
        }
        save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
        daemon.start_ready()
        daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=30)
        daemon.eventually(lambda: beat.attempts == 1)
        assert daemon.end() == 0
        # Not earlier: the first process could queue the digest too, between its frame and its end,
        # and stop while the receiver has it. A message that is not marked as sent is sent again.
        daemon.settings["alerts"]["digest"] = {"hour": 0}
        daemon.start_ready()
        daemon.eventually(lambda: daemon.count("alert delivered") == 1, within_s=30)
        daemon.eventually(lambda: beat.attempts == 2)
        assert daemon.end() == 0
    ((_, post),) = hook.posts
    assert post["title"].startswith("[SIMULATED] run 1(")
    assert datetime.now().astimezone().date().isoformat() in post["title"]
    (plate,) = post["attachments"]
    assert plate["filename"] == "plate-run-1-P1.png"
    assert "s3cret" not in json.dumps(daemon.log_lines())
