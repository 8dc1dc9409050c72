"""The real daemon never gives an all-clear while frames are not judged."""

import json
import signal
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import RunConfig
from tests.conftest import FakeClock
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.unit.store.scene import Scene, composer_of, key

WELLS = ("A1", "A2", "A3")
NOISE = 3000.0

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def port(daemon: Daemon) -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found = int(probe.getsockname()[1])
    daemon.settings["web"] = {"port": found}
    return found


@pytest.fixture
def foreign(phase: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return a frame with camera noise that no training frame had."""
    noise = np.random.default_rng(7).normal(0, NOISE, phase.shape)
    return np.clip(phase / 2 + 8000 + noise, 0, 60_000).astype(np.uint16)


def page(port: int) -> str:
    text = httpx.get(f"http://127.0.0.1:{port}/", timeout=10).text
    return " ".join(text[: text.index("</header>")].split())


def health(port: int) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
    return answer.status_code, answer.json()


def warned(daemon: Daemon) -> list[dict[str, Any]]:
    return [entry for entry in daemon.log_lines() if entry["message"] == "no all-clear for the run"]


def settle(daemon: Daemon, frames: int) -> None:
    daemon.eventually(
        lambda: len(daemon.frames()) == frames and "claimed" not in daemon.states().values(),
        within_s=60,
    )


def test_frames_of_another_channel_are_reported_everywhere_and_scored_once_it_is_set(
    daemon: Daemon, port: int, phase: NDArray[np.uint16], save: Save
) -> None:
    for well in WELLS:
        for time_point in range(2):
            save(daemon.incoming / f"P1_{well}_s0_t{time_point:04d}_PH.tif", phase)
    daemon.start_ready()
    settle(daemon, 6)
    sentence = "6 frames are of channel PH, but phase_channel is 'phase': nothing is scored"
    daemon.eventually(lambda: sentence.replace("'", "&#39;") in page(port), within_s=20)
    top = page(port)
    assert "Set experiment.phase_channel" in top
    assert "No well is flagged" not in top
    assert "✔" not in top
    status, answer = health(port)
    assert (status, answer["healthy"]) == (503, False)
    assert answer["detail"][0].startswith(f"run 1: {sentence}; Set experiment.phase_channel")
    assert sentence in " ".join(daemon.ask("status").stdout.split())
    daemon.eventually(lambda: len(warned(daemon)) == 1, within_s=40)
    assert warned(daemon)[0]["event.cause"] == "other-channel"

    daemon.settings["experiment"]["phase_channel"] = "PH"
    assert daemon.end() == 0
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("frame scored") == 6, within_s=60)
    daemon.eventually(lambda: "✔</span> No well is flagged." in page(port), within_s=20)
    assert "All wells (3) were judged within the last" in page(port)
    assert health(port)[0] == 200
    assert daemon.end() == 0
    assert len(warned(daemon)) == 1


def test_most_frames_out_of_domain_are_reported_in_one_sentence_with_figures_below(
    daemon: Daemon,
    port: int,
    phase: NDArray[np.uint16],
    foreign: NDArray[np.uint16],
    save: Save,
) -> None:
    for well in WELLS:
        for time_point, pixels in enumerate((phase, foreign, foreign)):
            save(daemon.incoming / f"P1_{well}_s0_t{time_point:04d}_phase.tif", pixels)
    daemon.start_ready()
    settle(daemon, 9)
    sentence = "6 of 9 frames: the model does not fit this microscope"
    daemon.eventually(lambda: sentence in page(port), within_s=20)
    top = page(port)
    assert top.count(sentence) == 1
    assert "needs a model of its own" in top
    assert "expected structure" in top
    assert "No well is flagged" not in top
    status, answer = health(port)
    assert status == 503
    assert answer["runs"][0]["cause"] == "unfit"
    daemon.eventually(lambda: len(warned(daemon)) == 1, within_s=40)
    shown = json.loads(daemon.ask("status", "--json").stdout)["states"]
    assert [state["sentence"] for state in shown] == [sentence]
    assert daemon.end() == 0


def test_files_that_are_all_refused_are_reported_before_there_is_a_run(
    daemon: Daemon, port: int, phase: NDArray[np.uint16], save: Save
) -> None:
    for number in range(3):
        save(daemon.incoming / f"IMG{number}-final.tif", phase)
    daemon.start_ready()
    sentence = "No file became a frame (3 refused): nothing is scored."
    daemon.eventually(lambda: sentence in page(port), within_s=30)
    assert "Waiting for the first frame" not in page(port)
    assert "<code>scopewatch explain</code>" in page(port)
    assert health(port)[0] == 503
    assert daemon.end() == 0


def test_a_finished_run_is_shown_as_such_and_raises_no_alert(daemon: Daemon, port: int) -> None:
    clock = FakeClock()
    clock.wall = datetime.now(UTC) - timedelta(days=4)
    settings = RunConfig(name="run 1", day_from="time_point")
    policy = policy_of(settings)
    store = Store.open(daemon.state, policy=policy, composer=composer_of(policy), clock=clock)
    scene = Scene(store=store, folder=daemon.state, rules=())
    for well in WELLS:
        for time_point in (0, 19, 20):
            scene.score(replace(key(well, time_point), run="run 1"), 0.6)
    store.close()
    daemon.settings["alerts"] = {"rules": [{"name": "no frames", "kind": "no-frames"}]}
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("run is finished") == 1, within_s=40)
    top = page(port)
    assert "The run is finished: day 10.0, 3 of 3 wells judged." in top
    assert "is the acquisition running" not in top
    assert "state bad" not in top.replace('id="lost" class="state bad"', "")
    assert health(port)[0] == 200
    with daemon.reader() as reader:
        assert reader.alerts(None, 9) == []
    assert daemon.end() == 0


def test_another_name_in_the_middle_of_a_run_is_explained_before_it_takes_effect(
    daemon: Daemon, port: int, phase: NDArray[np.uint16], save: Save
) -> None:
    save(daemon.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    daemon.start_ready()
    settle(daemon, 1)
    daemon.settings["experiment"]["name"] = "run 2"
    daemon.config.write_text(yaml.safe_dump(daemon.settings), encoding="utf-8")
    noted = daemon.ask("check").stdout
    assert "note  run: another run goes on: experiment.name" in noted
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.eventually(lambda: daemon.count("configuration taken up") == 1, within_s=60)
    logged = [entry["message"] for entry in daemon.log_lines()]
    explained = logged.index("settings are not those of the run so far")
    assert explained < logged.index("configuration taken up")
    daemon.eventually(lambda: daemon.count("ready") == 2, within_s=60)
    assert "<h1>run 1</h1>" in page(port)
    save(daemon.incoming / "P1_B1_s0_t0001_phase.tif", phase)
    daemon.eventually(lambda: "<h1>run 2</h1>" in page(port), within_s=60)
    settle(daemon, 2)
    top = page(port)
    assert "<dt>Scored</dt><dd>1</dd>" in top
    older = httpx.get(f"http://127.0.0.1:{port}/?experiment=run+1", timeout=10).text
    assert "/wells/run%201/P1/A1" in older
    assert "/wells/run%202" not in older
    assert daemon.end() == 0
