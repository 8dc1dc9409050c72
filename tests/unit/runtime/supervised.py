"""A supervisor over stages, a source and a systemd that the test controls."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from scopewatch.runtime.pipeline.inbox import BoundedInbox
from scopewatch.runtime.process.sd_notify import SystemdNotifier
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.source_supervisor import SourceSupervisor
from scopewatch.runtime.supervision.stages import ExitReport, Stage
from scopewatch.runtime.supervision.supervisor import Supervisor
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource, FakeStore


class Systemd(SystemdNotifier):
    """A systemd notifier that keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__("@nobody")
        self.sent: list[str] = []

    def _send(self, *lines: str) -> None:
        self.sent.append(" ".join(lines))

    def count(self, line: str) -> int:
        return self.sent.count(line)


@dataclass
class Part:
    """A stage that the test controls."""

    name: str
    diary: list[str]
    failure: Exception | None = None
    running: bool = False
    in_time: bool = True
    stop_failure: Exception | None = None

    def stage(self) -> Stage:
        return Stage(name=self.name, start=self.start, stop=self.stop, running=lambda: self.running)

    def start(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.running = True
        self.diary.append(f"start {self.name}")

    def stop(self, within_s: float) -> bool:
        self.running = False
        self.diary.append(f"stop {self.name}")
        if self.stop_failure is not None:
            raise self.stop_failure
        return self.in_time


@dataclass
class Checks:
    """Checks of reloads; the test decides when and how they end."""

    under_way: list[Callable[[bool], None]] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def begin(self, done: Callable[[bool], None]) -> None:
        self.under_way.append(done)

    def give_up(self, why: str) -> None:
        self.given_up.append(why)

    def end(self, *, able: bool) -> None:
        self.under_way.pop()(able)


@dataclass
class Daemon:
    clock: FakeClock
    diary: list[str] = field(default_factory=list)
    systemd: Systemd = field(default_factory=Systemd)
    source: FakeSource = field(default_factory=FakeSource)
    watchdog_s: float | None = 4
    end_on_stall_s: float | None = None
    checks: Checks = field(default_factory=Checks)

    def __post_init__(self) -> None:
        self.heartbeats = Heartbeats(self.clock, stall_s=10)
        self.web = Part("web", self.diary)
        self.worker = Part("worker", self.diary)
        self.watcher = SourceSupervisor(
            self.source,
            inbox=BoundedInbox(1, self.clock),
            ledger=FakeStore(),
            clock=self.clock,
            heartbeats=self.heartbeats,
            rescan_s=30,
        )
        self.supervisor = Supervisor(
            watchers=[self.watcher],
            heartbeats=self.heartbeats,
            notifier=self.systemd,
            clock=self.clock,
            summary=lambda: "3 frames scored",
            watchdog_s=self.watchdog_s,
            end_on_stall_s=self.end_on_stall_s,
            reloader=self.checks,
        )
        self.supervisor.add(self.web.stage())
        self.supervisor.add(self.worker.stage())

    def start(self) -> None:
        self.web.start()
        self.worker.start()

    def begin(self) -> Iterator[list[ExitReport]]:
        """Run in a thread, ready, until the test is over; yields the list of its reports."""
        self.watcher.check()
        ends: list[ExitReport] = []
        thread = threading.Thread(target=lambda: ends.append(self.supervisor.run()))
        thread.start()
        yield ends
        self.supervisor.stop()
        thread.join(10)
        assert not thread.is_alive()
