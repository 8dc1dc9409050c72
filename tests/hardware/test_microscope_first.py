"""Faults of scopewatch neither delay a real acquisition nor cost it an image."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import pytest
from ndstorage.ndtiff_dataset import NDTiffDataset

from scopewatch.core.tickets import Mark
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.events import Axes
from scopewatch.sources.micromanager.images import events_of
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.hardware.demo_core import RUN, settings
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = pytest.mark.hardware

# Two time points, 3 positions and 2 channels.
IMAGES = 12
# No call of scopewatch delays the microscope: a call that hangs would take longer than this.
GENEROUS_S = 10.0


class HangingLedger(FakeLedger):
    """A database on a disk that does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.asked_for = threading.Event()

    def _hang(self) -> None:
        self.asked_for.set()
        assert self.answers.wait(50)

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        self._hang()
        return super().settled(source, found)

    def acquisition(self, source: str, label: str, identity: str) -> int:
        self._hang()
        return super().acquisition(source, label, identity)


class BrokenInbox(FakeInbox):
    """An inbox that raises at every offer."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = True


def acquire(source: MicroManagerSource) -> float:
    """Take two time points; return the seconds that took."""
    began = monotonic()
    assert source.acquire_time_point(0)
    assert source.acquire_time_point(1)
    assert source.plan().next_time_point == 2
    return monotonic() - began


def images(folder: Path) -> int:
    data_set = NDTiffDataset(str(folder / "HES_7_1"))
    count = len(data_set.index)
    data_set.close()
    return count


def test_a_callback_that_raises_costs_no_image(
    tmp_path: Path, threads: None, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(_axes: Axes) -> None:
        raise ZeroDivisionError("our own fault")

    config = settings(tmp_path)
    microscope = PycroManagerMicroscope(config, "HES_7", patience_s=20)
    microscope.open()
    began = monotonic()
    for time_point in range(2):
        microscope.acquire(list(events_of(config, time_point).values()), crash)
    took_s = monotonic() - began
    microscope.close()
    assert images(tmp_path) == IMAGES
    assert took_s < GENEROUS_S
    assert caplog.text.count("saved image could not be noted") == 1, "once in a row"


def test_a_database_that_hangs_does_not_hold_up_the_acquisition(
    tmp_path: Path, threads: None, eventually: Callable[..., None]
) -> None:
    ledger, inbox = HangingLedger(), FakeInbox()
    source = MicroManagerSource(settings(tmp_path), RUN, RealClock())
    source.start(inbox, ledger)
    assert acquire(source) < GENEROUS_S
    eventually(ledger.asked_for.is_set)
    assert inbox.tickets == []
    ledger.answers.set()
    eventually(lambda: len(inbox.tickets) == IMAGES)
    source.stop()
    assert images(tmp_path) == IMAGES


def test_a_full_inbox_drops_no_frame_and_does_not_hold_up_the_acquisition(
    tmp_path: Path, threads: None, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox(room=1)
    source = MicroManagerSource(settings(tmp_path), RUN, RealClock())
    source.start(inbox, FakeLedger())
    assert acquire(source) < GENEROUS_S
    eventually(lambda: len(inbox.tickets) == 1)
    source.scan()
    assert len(inbox.tickets) == 1
    inbox.room = 5
    source.scan()
    inbox.room = IMAGES
    eventually(lambda: len(inbox.tickets) == IMAGES)
    source.stop()
    assert len(set(inbox.keys)) == images(tmp_path) == IMAGES


def test_an_inbox_that_raises_does_not_reach_the_acquisition(tmp_path: Path, threads: None) -> None:
    source = MicroManagerSource(settings(tmp_path), RUN, RealClock())
    source.start(BrokenInbox(), FakeLedger())
    assert acquire(source) < GENEROUS_S
    source.scan()
    assert "the inbox is broken" in source.health().detail
    source.stop()
    assert images(tmp_path) == IMAGES
