import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scopewatch.app.sources import (
    make_schedule,
    make_source_supervisors,
    make_sources,
    stop_watching,
)
from scopewatch.config import Config
from scopewatch.core.errors import ConfigError
from scopewatch.core.source import Inbox, Ledger
from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource, FakeStore


def configure(tmp_path: Path, *sources: dict[str, object]) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run 1"},
            "model": {"bundle": tmp_path},
            "sources": [{"path": tmp_path, "name": f"s{i}", **s} for i, s in enumerate(sources)],
        }
    )


def keep(clock: FakeClock, *sources: FakeSource) -> list[SourceSupervisor]:
    return make_source_supervisors(
        sources,
        inbox=BoundedInbox(1, clock),
        ledger=FakeStore(),
        clock=clock,
        heartbeats=Heartbeats(clock, stall_s=10),
        rescan_s=30,
    )


class Microscope(FakeSource):
    """A source that can acquire."""

    def __init__(self, name: str, *, acquires: bool) -> None:
        super().__init__(name)
        self.acquires = acquires

    def acquire_due(self) -> None:
        """Acquire nothing."""


def test_each_kind_of_source_is_made_from_its_configuration(
    tmp_path: Path, clock: FakeClock
) -> None:
    config = configure(
        tmp_path,
        {"kind": "folder"},
        {"kind": "ndtiff"},
        {"kind": "micromanager", "mode": "follow"},
        {"kind": "ome-zarr"},
    )
    made = make_sources(config, clock)
    assert [(source.name, type(source).__name__) for source in made] == [
        ("s0", "FolderSource"),
        ("s1", "NDTiffSource"),
        ("s2", "MicroManagerSource"),
        ("s3", "OmeZarrSource"),
    ]


def test_a_wrong_pattern_is_refused_when_the_source_is_made(
    tmp_path: Path, clock: FakeClock
) -> None:
    config = configure(tmp_path, {"kind": "folder", "pattern": "(?P<well"})
    with pytest.raises(ConfigError, match="file name pattern is not a regular expression"):
        make_sources(config, clock)


def test_only_a_microscope_source_is_started_to_acquire(clock: FakeClock) -> None:
    watchers = keep(
        clock,
        FakeSource("folder"),
        Microscope("theirs", acquires=False),
        Microscope("ours", acquires=True),
    )
    schedule = make_schedule(watchers, Heartbeats(clock, stall_s=10))
    assert schedule.names == ["source folder", "source theirs", "source ours", "acquire ours"]


def test_a_source_that_hangs_delays_neither_the_others_nor_the_stop(clock: FakeClock) -> None:
    release = threading.Event()

    class Hanging(FakeSource):
        def stop(self) -> None:
            release.wait(20)

    well, hanging = FakeSource("well"), Hanging("hanging")
    schedule = Schedule(Heartbeats(clock, stall_s=10))
    assert not stop_watching(schedule, keep(clock, hanging, well), within_s=0.2)
    assert well.stopped == 1
    release.set()
    assert stop_watching(schedule, keep(clock, well), within_s=5)


def test_a_source_that_hangs_while_it_starts_is_not_waited_for(
    clock: FakeClock, eventually: Callable[..., None]
) -> None:
    release = threading.Event()
    entered = threading.Event()

    class Hanging(FakeSource):
        def start(self, inbox: Inbox, ledger: Ledger) -> None:
            entered.set()
            release.wait(20)

    watchers = keep(clock, Hanging("hanging"))
    schedule = make_schedule(watchers, Heartbeats(clock, stall_s=10))
    schedule.start()
    eventually(entered.is_set)
    assert not stop_watching(schedule, watchers, within_s=0.2)
    release.set()
    assert schedule.wait_idle(10)
