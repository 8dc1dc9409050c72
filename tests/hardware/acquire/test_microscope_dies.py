"""The camera of a real core fails in the middle of a time-lapse, and works again later."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mmpycorex import Core

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.monitor import Monitor
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.hardware.demo_core import CHANNELS, POSITIONS, RUN, adapters, settings
from tests.unit.store.scene import Scene, open_store

pytestmark = pytest.mark.hardware

RULE = AlertRule(name="dead", kind=RuleKind.SOURCE_DEAD)
ON = Path(adapters.device_adapter_path()) / "MMConfig_demo.cfg"


class Bench:
    """A source with its supervisor and the monitor, as in the daemon, on a fake clock."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.setup = folder / "setup.cfg"
        self.switch_camera(on=True)
        self.source = MicroManagerSource(
            settings(
                folder / "data",
                mm_config=self.setup,
                positions=POSITIONS[:2],
                channels=CHANNELS[:1],
            ),
            RUN,
            clock,
            lambda config, name: PycroManagerMicroscope(config, name, patience_s=0.5),
        )
        self.inbox = BoundedInbox(100, clock)
        self.store = open_store(folder / "state", clock, phase_channel="fitc")
        self.scene = Scene(store=self.store, folder=folder / "state")
        self.watcher = SourceSupervisor(
            self.source,
            inbox=self.inbox,
            ledger=self.store,
            clock=clock,
            heartbeats=Heartbeats(clock, stall_s=50),
            rescan_s=1,
        )
        self.monitor = Monitor(
            self.store,
            rules=[RULE],
            sources=[self.source],
            run=RUN.name,
            final_day=10,
            interval_h=1,
            free_bytes={"/state": lambda: 10**12},
            clock=clock,
            wake=lambda: None,
            troubles=lambda: (
                {} if self.watcher.watching else {self.source.name: self.watcher.trouble}
            ),
        )

    def switch_camera(self, *, on: bool) -> None:
        text = ON.read_text(encoding="utf-8")
        broken = text.replace("Device,Camera,DemoCamera,", "Device,Camera,NoSuchLibrary,")
        assert broken != text
        self.setup.write_text(text if on else broken, encoding="utf-8")

    def go_on(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.watcher.check()
        self.source.acquire_due()
        self.monitor.tick()

    def alerts(self) -> list[str]:
        rows = self.scene.rows("SELECT resolved_at, evidence FROM alerts")
        return [f"{'open' if gone is None else 'gone'}: {why}" for gone, why in rows]

    def taken(self) -> tuple[list[str], list[str]]:
        """Return the frames that arrived, and those reported as missing."""
        came: list[str] = []
        missing: list[str] = []
        while (item := self.inbox.take(0)) is not None:
            if isinstance(item, FrameTicket):
                self.store.quarantine(item, "blank", "nobody looks at it here")
                came.append(str(item.key).split("/", 1)[1])
            elif isinstance(item, Refusal) and item.missed is not None:
                self.store.refuse(item)
                missing.append(str(item.missed).split("/", 1)[1])
            self.inbox.done(item)
        return sorted(came), sorted(missing)


@pytest.fixture
def bench(tmp_path: Path, clock: FakeClock, threads: None) -> Iterator[Bench]:
    made = Bench(tmp_path, clock)
    yield made
    made.watcher.retire()
    made.store.close()


def test_a_camera_that_fails_is_reported_retried_and_used_once_it_is_back(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.go_on(0)
    bench.go_on(2)
    assert bench.taken() == (["plate/A1/s0/t0000/fitc", "plate/A1/s1/t0000/fitc"], [])

    # The device is removed from the running core, and cannot be loaded again.
    bench.switch_camera(on=False)
    Core().unload_device("Camera")
    bench.go_on(3600)
    health = bench.source.health()
    assert not health.alive
    assert health.failing.startswith("time point 1: microscope failed: python backend")
    for _ in range(3):
        bench.go_on(130)
    (alert,) = bench.alerts()
    assert alert.startswith("open: ")
    assert "micromanager, since 2026-03-01 10:00 UTC: microscope failed" in alert
    assert caplog.text.count("source not watching") <= 2, "once per reason, not per try"

    # An hour later it works again: one time point was missed, the next one is taken.
    bench.clock.advance(3600)
    bench.switch_camera(on=True)
    bench.go_on(60)
    bench.go_on(2)
    bench.go_on(2)
    assert bench.source.health().alive
    (alert,) = bench.alerts()
    assert alert.startswith("gone: ")
    came, missing = bench.taken()
    assert came == ["plate/A1/s0/t0002/fitc", "plate/A1/s1/t0002/fitc"]
    assert missing == ["plate/A1/s0/t0001/fitc", "plate/A1/s1/t0001/fitc"]
