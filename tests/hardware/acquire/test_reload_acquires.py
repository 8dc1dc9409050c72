"""A reload comes in the middle of a time point that a real core takes."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pycromanager
import pytest
import yaml
from ndstorage.ndtiff_dataset import NDTiffDataset
from pycromanager.acquisition.acquisition_superclass import Acquisition

from scopewatch.app.daemon_runner import DaemonRunner
from scopewatch.config import load_config
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.supervision.stages import ExitReport
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.events import Axes, Event
from scopewatch.store.read.reader import Reader
from tests.hardware.demo_core import adapters
from tests.integration.conftest import SHIPPED

pytestmark = pytest.mark.hardware

INTERVAL_S = 3600
WELLS = ("A1", "A2", "A3", "B1", "B2", "B3")
TAKEN = 3  # of the wells, when the reload comes
PATIENCE_S = 300.0


class LeapingClock(SystemClock):
    """The clock of this machine, ahead by a number of seconds."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s

    def steady(self) -> float:
        return super().steady() + self.ahead_s


class Stage:
    """A stage that waits before the fourth well until the acquisition is aborted.

    So a reload always finds the time point half taken, however busy the machine is.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.called_off = threading.Event()
        real, abort = pycromanager.Acquisition, Acquisition.abort

        def begin(**options: Any) -> Any:
            return real(**options, pre_hardware_hook_fn=self.move)

        def call_off(acquisition: Any, *why: Any) -> None:
            abort(acquisition, *why)
            self.called_off.set()

        monkeypatch.setattr(pycromanager, "Acquisition", begin)
        monkeypatch.setattr(Acquisition, "abort", call_off)

    def move(self, event: dict[str, Any]) -> dict[str, Any]:
        if event["axes"]["position"] == WELLS[TAKEN]:
            assert self.called_off.wait(PATIENCE_S)
        return event


class Witness:
    """An observer of the start and end of each acquisition, and of each saved image."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        self.saved: list[tuple[int, str]] = []
        self.under_way = self.most = 0
        real = PycroManagerMicroscope.acquire
        lock = threading.Lock()

        def acquire(
            microscope: PycroManagerMicroscope,
            events: Sequence[Event],
            saved: Callable[[Axes], None],
            hold: Callable[[], bool],
        ) -> bool:
            def note(axes: Axes) -> None:
                self.saved.append((axes["time"], axes["position"]))
                saved(axes)

            # Nothing gives up on the stage before the reload comes.
            microscope._patience_s = PATIENCE_S
            with lock:
                self.asked.append(len(events))
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            try:
                return real(microscope, events, note, hold)
            finally:
                with lock:
                    self.under_way -= 1

        monkeypatch.setattr(PycroManagerMicroscope, "acquire", acquire)

    def of(self, time_point: int) -> list[str]:
        return [position for time, position in self.saved if time == time_point]


class Run:
    """A daemon in a thread of its own, over a configuration that a test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = LeapingClock()
        self.settings = {
            "experiment": {"name": "HES 7", "phase_channel": "fitc"},
            "model": {"bundle": str(SHIPPED), "threads": 1},
            "sources": [
                {
                    "kind": "micromanager",
                    "mode": "acquire",
                    "path": "data",
                    "mm_app_path": adapters.device_adapter_path(),
                    "positions": [{"label": well, "x_um": 0, "y_um": 0} for well in WELLS],
                    "channels": [{"group": "Channel", "preset": "FITC", "exposure_ms": 10}],
                    "interval_s": INTERVAL_S,
                    "time_points": 3,
                    "poll_s": 0.2,
                }
            ],
            "state": {"folder": "state"},
            "web": {"enabled": False},
            # The jumps of this clock are no stall.
            "runtime": {"rescan_s": 1, "stall_s": 1e5, "end_on_stall_s": None},
        }
        self.path = folder / "config.yaml"
        self.write()
        self.life = DaemonRunner(
            self.path,
            load_config(self.path),
            clock=self.clock,
            environ=dict(os.environ),
            pid=os.getpid(),
            prepare=lambda _: None,
        )
        self.life.build()
        self.exit_report: ExitReport | None = None
        self.thread = threading.Thread(target=self._run, name="daemon")
        self.thread.start()

    def _run(self) -> None:
        self.exit_report = self.life.run()

    def write(self) -> None:
        self.path.write_text(yaml.safe_dump(self.settings), encoding="utf-8")

    def reload(self) -> None:
        self.settings["alerts"] = {"rules": [{"name": "weak", "target": 0.4}]}
        self.write()
        self.life.reload()

    def end(self) -> None:
        self.life.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def on_disk(self) -> Counter[tuple[int, str]]:
        """Count the images in all data sets, which must be closed."""
        images: Counter[tuple[int, str]] = Counter()
        for path in sorted((self.folder / "data").iterdir()):
            data_set = NDTiffDataset(str(path))
            images.update((dict(key)["time"], dict(key)["position"]) for key in data_set.index)
            data_set.close()
        return images

    def ledger(self) -> list[tuple[int, str, str]]:
        with closing(Reader.open(self.folder / "state")) as reader:
            frames = list(reader.frames())
        return sorted((each.key.time_point, each.key.well, each.state) for each in frames)


@pytest.fixture
def run(tmp_path: Path, witness: Witness, threads: None) -> Iterator[Run]:
    made = Run(tmp_path)
    yield made
    made.end()


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    Stage(monkeypatch)
    return Witness(monkeypatch)


def test_a_reload_within_a_time_point_loses_and_doubles_no_image(
    witness: Witness,
    run: Run,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    eventually(lambda: len(witness.of(0)) == TAKEN, within_s=40)
    run.reload()
    eventually(lambda: "configuration taken up" in caplog.text, within_s=40)
    eventually(lambda: len(witness.of(0)) == len(WELLS), within_s=40)
    assert witness.asked == [len(WELLS), len(WELLS) - TAKEN], "the missing images, and no more"
    eventually(lambda: len(run.ledger()) == len(WELLS), within_s=40)

    # An hour after the first time point, as planned before the reload, and not earlier.
    run.clock.ahead_s += INTERVAL_S - 300
    eventually(lambda: caplog.text.count("time point acquired") >= 1)
    assert witness.of(1) == []
    run.clock.ahead_s += 300
    eventually(lambda: len(witness.of(1)) == len(WELLS), within_s=40)
    eventually(lambda: len(run.ledger()) == 2 * len(WELLS), within_s=40)
    eventually(lambda: "claimed" not in {state for *_, state in run.ledger()}, within_s=40)
    run.end()

    expected = [(time, well) for time in (0, 1) for well in WELLS]
    assert sorted(witness.saved) == expected
    assert run.on_disk() == Counter(expected), "each image is on disk once"
    assert [entry[:2] for entry in run.ledger()] == expected
    assert {state for *_, state in run.ledger()} <= {"done", "quarantined"}
    assert witness.most == 1, "one acquisition at a time"
    assert run.exit_report == ExitReport(failed_stage=None, clean=True)
    logged = [record.message for record in caplog.records]
    assert logged.count("configuration taken up") == 1
    assert "time points were missed" not in logged
    assert "stage did not stop in time" not in logged
    assert "acquisition failed" not in logged
