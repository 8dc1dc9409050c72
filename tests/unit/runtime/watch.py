"""A monitor over a real store, with its inputs and a fake clock."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import event

from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.source import SourceHealth
from scopewatch.runtime.supervision.monitor import Monitor
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource
from tests.unit.store.scene import Scene, open_store

HOUR_S = 3600.0
INTERVAL_H = 12.0
NO_FRAMES = AlertRule(name="no-frames", kind=RuleKind.NO_FRAMES, critical_limit=4.0, cooldown_h=1)
ENDED = AlertRule(name="ended", kind=RuleKind.ENDED_EARLY)
DISK = AlertRule(name="disk", kind=RuleKind.DISK_LOW, hysteresis=1)
RESTARTED = AlertRule(name="restarted", kind=RuleKind.RESTARTED, severity=Severity.INFO)
DEAD = AlertRule(name="dead", kind=RuleKind.SOURCE_DEAD, critical_limit=60.0)
REFUSED = AlertRule(name="refused", kind=RuleKind.MODEL_REFUSED)
RELOAD = AlertRule(name="reload", kind=RuleKind.RELOAD_REFUSED)
GB = 1_000_000_000


class EndingSource(FakeSource):
    """A source whose acquisition ends when the test says so."""

    ended = False
    shortfall = ""

    def health(self) -> SourceHealth:
        return replace(super().health(), ended=self.ended, shortfall=self.shortfall)


@dataclass
class Watch:
    """The inputs of a monitor and the alerts that it raised."""

    scene: Scene
    clock: FakeClock
    source: EndingSource = field(default_factory=EndingSource)
    free: int = 100 * GB
    woken: int = 0
    refusal: str = ""
    troubles: dict[str, str] = field(default_factory=dict)
    over: bool = False
    interval_h: float = INTERVAL_H
    image_disks: dict[str, int] = field(default_factory=dict)

    def begin(self, *rules: AlertRule) -> Monitor:
        """Return the monitor of a new start of the daemon."""
        self.scene.rules = [rule for rule in rules if not rule.kind.of_the_monitor]
        return Monitor(
            self.scene.store,
            rules=rules,
            sources=[self.source],
            run="run 7",
            final_day=10,
            interval_h=self.interval_h,
            free_bytes={
                place: partial(self.image_disks.__getitem__, place) for place in self.image_disks
            }
            | {"/state": self.read_free},
            clock=self.clock,
            wake=self.wake,
            refusal=lambda: self.refusal,
            troubles=lambda: self.troubles,
            over=lambda: self.over,
        )

    def read_free(self) -> int:
        if self.free < 0:
            raise OSError(5, "Input/output error")
        return self.free

    def wake(self) -> None:
        self.woken += 1

    def run(self, monitor: Monitor, hours: float, step_s: float = 600) -> None:
        """Let time pass, tick by tick; a longer step saves time where nothing depends on it."""
        for _ in range(round(hours * HOUR_S / step_s)):
            self.clock.advance(step_s)
            monitor.tick()

    def alerts(self) -> list[str]:
        """Return rule and severity of each alert, and whether it is resolved."""
        rows = self.scene.rows("SELECT rule, severity, resolved_at FROM alerts ORDER BY id")
        return [f"{rule} {grave}{'' if gone is None else ' gone'}" for rule, grave, gone in rows]

    def detail(self) -> str:
        """Return the detail of the only alert."""
        ((evidence,),) = self.scene.rows("SELECT evidence FROM alerts")
        return str(json.loads(evidence)["detail"])


@contextmanager
def open_watch(folder: Path, clock: FakeClock) -> Iterator[Watch]:
    """Open a store for a monitor; closed at the end."""
    store = open_store(folder, clock)
    # A tick here is minutes or more, so each one writes a liveness record: thousands of syncs
    # in all, on a disk that may be busy. No test here cuts the power.
    event.listen(store._writer, "checkout", _leave_unsynced)
    yield Watch(scene=Scene(store=store, folder=folder), clock=clock)
    store.close()


def _leave_unsynced(connection: sqlite3.Connection, *_: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
