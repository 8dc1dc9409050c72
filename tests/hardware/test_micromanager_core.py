"""A real Micro-Manager core with its demo devices, driven through pycro-manager.

First another process acquires and this one follows; then scopewatch acquires itself.
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.config import ChannelConfig, PositionConfig
from scopewatch.core.acquisition.orders import Act, Order
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.hardware.demo_core import CHANNELS, RUN, settings
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = pytest.mark.hardware


def simulated(image: NDArray[Any], metadata: dict[str, Any]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return pixels that identify their image, of another size than the camera's."""
    level = 1000 + metadata["Axes"]["time"]
    return np.full((64, 96), level, np.uint16), {**metadata, "PixelSizeUm": 0.5}


FOREIGN = """
import sys, time
from pathlib import Path
import numpy as np
from mm_test_adapters import device_adapter_path
from pycromanager import Acquisition, start_headless, stop_headless

adapters = device_adapter_path()
start_headless(adapters, str(Path(adapters) / "MMConfig_demo.cfg"), python_backend=True)

def process(image, metadata):
    return np.full((64, 96), 1000 + metadata["Axes"]["time"], np.uint16), metadata

def saved(axes, data_set):
    print(axes["time"], axes["position"], axes["channel"], time.time(), flush=True)

with Acquisition(
    directory=sys.argv[1], name="HES_7", image_process_fn=process, image_saved_fn=saved
) as acquisition:
    for index in range(4):
        for label in ("A1", "B2"):
            for channel in ("FITC", "DAPI"):
                acquisition.acquire([{
                    "axes": {"time": index, "position": label, "channel": channel},
                    "config_group": ["Channel", channel], "exposure": 5, "x": 0, "y": index,
                }])
        time.sleep(0.5)
stop_headless()
"""


def test_an_acquisition_of_another_program_is_followed_within_two_seconds(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    source = MicroManagerSource(settings(tmp_path, mode="follow", poll_s=1), RUN, RealClock())
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN, str(tmp_path)],
        capture_output=True,
        check=True,
        text=True,
        timeout=50,
    )
    eventually(lambda: len(inbox.tickets) == 16)
    written = {
        (int(time), label, channel): float(at)
        for time, label, channel, at in (line.split() for line in done.stdout.splitlines())
    }
    assert len(written) == 16
    for ticket in inbox.tickets:
        key = ticket.key
        at = written[(key.time_point, key.well, key.channel.upper())]
        assert ticket.seen_at.timestamp() - at < 2
        frame = source.load(ticket)
        assert frame.pixels.shape == (64, 96)
        assert set(np.unique(frame.pixels)) == {1000 + key.time_point}
        assert frame.pixel_size_um == 1.0
        assert frame.acquired_at is not None
    assert {ticket.key.run for ticket in inbox.tickets} == {"HES 7 HES_7_1"}
    source.stop()


def test_a_time_lapse_of_our_own_is_acquired_and_offered(
    tmp_path: Path, threads: None, eventually: Callable[..., None]
) -> None:
    source = MicroManagerSource(
        settings(tmp_path),
        RUN,
        RealClock(),
        lambda config, name: PycroManagerMicroscope(config, name, process=simulated),
    )
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    source.acquire_due()
    assert source.acquire_time_point(1)
    eventually(lambda: len(inbox.tickets) == 12)
    assert inbox.keys[:3] == [
        "HES 7/plate/A1/s0/t0000/fitc",
        "HES 7/plate/A1/s0/t0000/DAPI",
        "HES 7/plate/A1/s1/t0000/fitc",
    ]
    for ticket in inbox.tickets:
        frame = source.load(ticket)
        assert (frame.pixels == 1000 + ticket.key.time_point).all()
        assert frame.pixel_size_um == 0.5
    assert source.plan().next_time_point == 2
    assert source.health().alive
    began = monotonic()
    source.stop()
    assert monotonic() - began < 5
    assert (tmp_path / "HES_7_1" / "NDTiff.index").stat().st_size > 0


def test_the_core_starts_again_in_the_same_process_and_the_time_lapse_goes_on(
    tmp_path: Path, threads: None, eventually: Callable[..., None]
) -> None:
    ledger, inbox = FakeLedger(), FakeInbox()
    for time_point in range(2):
        source = MicroManagerSource(settings(tmp_path), RUN, RealClock())
        source.start(inbox, ledger)
        assert source.plan().next_time_point == time_point
        assert source.acquire_time_point(time_point)
        source.stop()
        ledger.settle(*inbox.tickets)
    assert [ticket.key.time_point for ticket in inbox.tickets] == [0] * 6 + [1] * 6
    assert source.load(inbox.tickets[-1]).pixels.shape == (512, 512)


def test_a_device_error_costs_its_image_only_and_is_reported(
    tmp_path: Path, threads: None, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = ChannelConfig(group="Channel", preset="no such filter", exposure_ms=5)
    source = MicroManagerSource(
        settings(tmp_path, channels=(broken, CHANNELS[0])),
        RUN,
        RealClock(),
        lambda config, name: PycroManagerMicroscope(config, name, patience_s=1),
    )
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    assert not source.acquire_time_point(0)
    health = source.health()
    assert not health.alive
    assert "time point 0: microscope failed: python backend" in health.detail
    assert "3 of 3 images never came" in health.detail
    source.stop()
    assert {str(ticket.key) for ticket in inbox.tickets} == {
        f"HES 7/plate/{place}/t0000/fitc" for place in ("A1/s0", "A1/s1", "B2/s0")
    }


def test_a_running_acquisition_is_interrupted_by_stopping(tmp_path: Path, threads: None) -> None:
    slow = ChannelConfig(group="Channel", preset="FITC", exposure_ms=2000)
    source = MicroManagerSource(settings(tmp_path, channels=(slow,)), RUN, RealClock())
    source.start(FakeInbox(), FakeLedger())
    acquiring = threading.Thread(target=source.acquire_time_point, args=(0,))
    acquiring.start()
    began = monotonic()
    source.stop()
    assert monotonic() - began < 5
    acquiring.join(timeout=5)
    assert not acquiring.is_alive()


def test_a_pause_finishes_what_is_begun_and_the_rest_is_taken_after_it(
    tmp_path: Path, threads: None, eventually: Callable[..., None]
) -> None:
    many = tuple(
        PositionConfig(label=f"A{each}", x_um=100.0 * each, y_um=0) for each in range(1, 25)
    )
    source = MicroManagerSource(settings(tmp_path, positions=many), RUN, RealClock())
    inbox, ledger = FakeInbox(), FakeLedger()
    source.start(inbox, ledger)
    acquiring = threading.Thread(target=source.acquire_due)
    acquiring.start()
    eventually(lambda: not source._acquiring.account.is_empty)
    source.order(Order(number=1, act=Act.PAUSE, by="anna", at=RealClock().now()))
    acquiring.join(timeout=20)
    source.acquire_due()
    source.scan()
    (report,) = source.reports()
    assert report.outcome == "paused"
    assert 0 < len(inbox.tickets) < 40
    source.order(Order(number=2, act=Act.RESUME, by="anna", at=RealClock().now()))
    source.acquire_due()
    source.scan()
    health = source.health()
    source.stop()
    assert health.alive
    assert health.failing == ""
    assert len(set(inbox.keys)) == len(inbox.keys) == 48
    # One data set: the devices were not loaded again.
    assert [path.name for path in tmp_path.iterdir()] == ["HES_7_1"]


def test_a_broken_hardware_configuration_is_refused(tmp_path: Path, threads: None) -> None:
    setup = tmp_path / "setup.cfg"
    setup.write_text("Device,Camera,NoSuchLibrary,Cam\n")
    source = MicroManagerSource(settings(tmp_path / "data", mm_config=setup), RUN, RealClock())
    with pytest.raises(SourceError, match="microscope failed: python backend"):
        source.start(FakeInbox(), FakeLedger())
    assert not source.health().alive


def test_a_configuration_without_camera_is_refused(tmp_path: Path, threads: None) -> None:
    setup = tmp_path / "setup.cfg"
    setup.write_text("Property,Core,Initialize,0\nProperty,Core,Initialize,1\n")
    source = MicroManagerSource(settings(tmp_path / "data", mm_config=setup), RUN, RealClock())
    with pytest.raises(SourceError, match="got the configuration has no camera"):
        source.start(FakeInbox(), FakeLedger())
