"""`scopewatch status` says how each run is, with and without a daemon to ask."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.cli.main import run
from scopewatch.config import load_config
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Refusal
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.process.lock import InstanceLock, is_held
from scopewatch.store.read.records.quarantine import RetrySelection
from tests.unit.store.scene import Scene, composer_of, key, ticket

BUNDLE = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"
CONFIG = f"""
experiment: {{name: run 7}}
model: {{bundle: {BUNDLE}}}
sources: [{{kind: folder, path: in}}]
web: {{enabled: false}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@contextmanager
def filling(config: Path, clock: SystemClock | None = None) -> Iterator[Scene]:
    settings = load_config(config)
    policy = policy_of(settings.experiment)
    store = Store.open(
        settings.state.folder,
        policy=policy,
        composer=composer_of(policy),
        clock=clock or SystemClock(),
    )
    yield Scene(store=store, folder=settings.state.folder, rules=())
    store.close()


class Earlier(SystemClock):
    """A clock that was right some days ago."""

    def __init__(self, days: float) -> None:
        super().__init__()
        self._days = days

    def now(self) -> datetime:
        return super().now() - timedelta(days=self._days)


def status_text(config: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["status", "-c", str(config)]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_frames_of_another_channel_are_reported_with_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config) as scene, InstanceLock(scene.folder):
        for well in ("A1", "A2"):
            scene.store.skip(ticket(key(well, channel="PH")), "not scored")
        output = status_text(config, capsys)
        assert "run 7: 2 frames are of channel PH, but phase_channel is 'phase'" in output
        assert "Set experiment.phase_channel" in output
        assert run(["status", "--json", "-c", str(config)]) == 0
    (state,) = json.loads(capsys.readouterr().out)["states"]
    assert (state["run"], state["level"], state["cause"]) == ("run 7", "failing", "other-channel")


def test_without_a_daemon_there_is_no_all_clear(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config) as scene:
        scene.score(key("A1"), 0.4)
        with InstanceLock(scene.folder):
            output = status_text(config, capsys)
            assert "run 7: All wells (1) were judged within the last 1 min." in output
            assert output.startswith("daemon: runs, and cannot be asked (it has no dashboard at a")
        output = status_text(config, capsys)
    assert "All wells" not in output
    assert output.startswith("daemon: does not run (")
    assert "run 7: scopewatch is not well" in output
    assert "the daemon does not run: no new frame is judged; start it" in output


def test_a_model_that_is_refused_is_the_reason_why_nothing_runs(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config):
        config.write_text(CONFIG.replace(str(BUNDLE), str(tmp_path / "none")), encoding="utf-8")
        assert "model bundle does not exist" in status_text(config, capsys)


def test_counts_and_wells_are_of_the_runs_that_are_watched_now(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config, Earlier(20)) as scene:
        for time_point in range(3):
            old = FrameKey(
                run="run 6", plate="p1", well="H9", site=0,
                time_point=time_point, channel="phase",
            )  # fmt: skip
            scene.score(old, 0.4)
    with filling(config) as scene:
        scene.score(key("A1", 40), 0.4)
        output = status_text(config, capsys)
    assert "frames: 1 scored, 0 quarantined" in output
    assert "H9" not in output
    assert "earlier runs: run 6;" in output


def test_two_runs_that_go_on_are_counted_apart(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config) as scene:
        scene.score(key("A1"), 0.4)
        scene.score(key("A2"), 0.4)
        scene.score(replace(key("B1", 3), run="run 8"), 0.4)
        refusal = Refusal(
            source="in", locator="/x", fingerprint="", reason="no well",
            seen_at=SystemClock().now(),
        )  # fmt: skip
        scene.store.refuse(refusal)
        output = status_text(config, capsys)
    assert "frames of run 8: 1 scored, 1 quarantined" in output
    assert "frames of run 7: 2 scored, 0 quarantined" in output


def test_whether_a_daemon_works_in_a_folder_can_be_asked(tmp_path: Path) -> None:
    assert is_held(tmp_path) is False
    with InstanceLock(tmp_path):
        assert is_held(tmp_path) is True
    assert is_held(tmp_path) is False


def test_the_quarantine_is_summed_up_by_reason_with_what_to_do_before_figures(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filling(config) as scene, InstanceLock(scene.folder):
        for time_point in range(24):
            offered = ticket(key("A1", time_point))
            scene.store.claim(offered)
            scene.store.quarantine(offered, "out-of-domain", f"contrast 0.{time_point}")
        scene.store.refuse(
            Refusal(
                source="folder",
                locator="odd.tif",
                fingerprint="1",
                reason="name does not fit",
                seen_at=SystemClock().now(),
            )
        )
        scene.store.ask_again(RetrySelection(fault="refused"), ("folder",), "mei")
        output = status_text(config, capsys)
        assert run(["status", "--json", "-c", str(config)]) == 0
    assert output.count("out-of-domain") == 1
    assert "24 quarantined, out-of-domain: The frame is unlike all that the model" in output
    assert "another model. the newest: run 7/p1/A1/s0/t00" in output
    assert "1 quarantined, refused (1 are to be tried again): The name or the metadata" in output
    assert "odd.tif: name does not fit" in output
    assert output.endswith("tried again by `scopewatch retry`; the dashboard lists each")
    plain = json.loads(capsys.readouterr().out)
    assert [(each["fault"], each["count"]) for each in plain["reasons"]] == [
        ("out-of-domain", 24),
        ("refused", 1),
    ]
    assert len(plain["refused"]) == 10
