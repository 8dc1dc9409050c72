"""Delivery, heartbeat and digest as the whole daemon runs them."""

import json
import socket
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from scopewatch.config import ExperimentConfig
from scopewatch.runtime.clock import SystemClock
from scopewatch.store.database import Store
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.receivers import Hook, Serving
from tests.unit.notify.fakes import message


def test_the_daemon_ends_in_time_though_a_receiver_hangs(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/alerts"
        daemon.settings["alerts"] = {"channels": [{"name": "hook", "url": url}]}
        store = Store.open(
            daemon.state, experiment=ExperimentConfig(name="run 1"), rates=None, clock=SystemClock()
        )
        store.announce(message(), ["hook"])
        daemon.start_ready()
        connection, _ = silent.accept()
        assert daemon.end(within_s=5) == 0, "the receiver has the message and says nothing"
        connection.close()
        (waiting,) = store.due(SystemClock().now(), 10)
        assert waiting.attempts == 0
        store.close()
    (stopped,) = [entry for entry in daemon.said() if entry["message"] == "stopped"]
    assert stopped["event.clean"] is True


def test_the_heartbeat_is_called_and_the_digest_arrives_once(
    daemon: Daemon, phase: NDArray[np.uint16], save: Save
) -> None:
    hook, beat = Hook(), Hook()
    with Serving(hook), Serving(beat):
        daemon.settings["alerts"] = {
            "channels": [{"name": "hook", "url": f"json://127.0.0.1:{hook.port}/alerts"}],
            "language": "ja",
            "heartbeat": {"url": f"http://127.0.0.1:{beat.port}/s3cret"},
            "digest": {"hour": 0},
        }
        save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
        daemon.start_ready()
        daemon.eventually(lambda: daemon.count("frame scored") == 1, within_s=30)
        daemon.eventually(lambda: beat.attempts == 1)
        assert daemon.end() == 0
        daemon.start_ready()
        daemon.eventually(lambda: len(hook.posts) == 1)
        daemon.eventually(lambda: beat.attempts == 2)
        assert daemon.end() == 0
    ((_, post),) = hook.posts
    assert post["title"].startswith("[SIMULATED] run 1(")
    assert datetime.now().astimezone().date().isoformat() in post["title"]
    (plate,) = post["attachments"]
    assert plate["filename"] == "plate-run-1-P1.png"
    assert "s3cret" not in json.dumps(daemon.said())
