"""A real core takes images in the repeated hour of autumn: their times and the grid are right."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from pycromanager.acquisition.acq_eng_py.internal import engine
from pycromanager.acquisition.acq_eng_py.main import acq_eng_metadata

from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.hardware.demo_core import CHANNELS, POSITIONS, RUN, settings
from tests.unit.sources.fakes import FakeInbox, FakeLedger

pytestmark = pytest.mark.hardware

BERLIN = ZoneInfo("Europe/Berlin")
# 01:50 summer time; 100 minutes later it is 02:30 for the second time.
BEGAN = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)
INTERVAL_S = 100 * 60


class Autumn(SystemClock):
    """The clock of machine, engine and source, in Berlin, which the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = BEGAN
        local = SimpleNamespace(now=lambda: self.at.astimezone(BERLIN).replace(tzinfo=None))
        monkeypatch.setattr(acq_eng_metadata, "datetime", SimpleNamespace(datetime=local))
        fake_time = SimpleNamespace(time=self.at_s, sleep=time.sleep)
        monkeypatch.setattr(engine, "time", fake_time)

    def at_s(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - BEGAN).total_seconds()

    def steady(self) -> float:
        return self.monotonic()


def test_images_of_the_second_half_past_two_are_dated_right_and_so_is_the_grid(
    tmp_path: Path,
    threads: None,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    clock = Autumn(monkeypatch)
    config = settings(
        tmp_path,
        positions=POSITIONS[:1],
        channels=CHANNELS[:1],
        interval_s=INTERVAL_S,
        time_points=4,
        clock_zone="Europe/Berlin",
    )
    inbox, ledger = FakeInbox(), FakeLedger()
    source = MicroManagerSource(config, RUN, clock)
    source.start(inbox, ledger)
    for index in range(2):
        clock.at = BEGAN + index * timedelta(seconds=INTERVAL_S)
        source.acquire_due()
    assert clock.at.astimezone(BERLIN).strftime("%H:%M %Z") == "02:30 CET"

    def both_came() -> bool:
        # A source that looked just before an image was saved looks again a moment later.
        clock.at += timedelta(milliseconds=50)
        return len(inbox.tickets) == 2

    eventually(both_came, within_s=60)
    moments = [source.load(ticket).acquired_at for ticket in inbox.tickets]
    assert moments == [BEGAN, BEGAN + timedelta(seconds=INTERVAL_S)]
    source.stop()

    # After a restart no time point is an hour early or late.
    ledger.settle(*inbox.tickets)
    again = MicroManagerSource(config, RUN, clock)
    again.start(inbox, ledger)
    clock.at = BEGAN + timedelta(seconds=2 * INTERVAL_S - 1)
    again.acquire_due()
    assert again.plan().next_time_point == 2
    clock.at += timedelta(seconds=1)
    again.acquire_due()
    assert again.plan().next_time_point == 3
    assert again.plan().began_at == BEGAN
    again.stop()
