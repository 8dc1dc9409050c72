"""What a daemon records of its own condition: at each change, and each minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from scopewatch.app.shared.condition import CONDITION, ConditionRecord, read_condition
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.runtime.process.restart_history import LivenessRecord
from tests.conftest import FakeClock


@dataclass
class Kept:
    records: list[tuple[str, datetime, str]] = field(default_factory=list)

    def record_liveness(self, name: str, at: datetime, detail: str = "") -> None:
        self.records.append((name, at, detail))

    def liveness(self) -> Mapping[str, LivenessRecord]:
        raise AssertionError("nothing is read back")


def test_a_condition_is_recorded_when_it_changes_and_each_minute(clock: FakeClock) -> None:
    kept = Kept()
    first = DaemonSeen(waiting=3, started_at=clock.now())
    seen = [first]
    record = ConditionRecord(kept, lambda: seen[-1], clock)
    counts = []
    for each in (
        first,
        replace(first, waiting=2),
        replace(first, waiting=0),
        replace(first, complaints=("worker has ended",)),
        replace(first, complaints=("worker has ended",)),
        replace(first, pausing="a plane is acquired"),
        replace(first, ready=False),
    ):
        seen.append(each)
        record.look()
        counts.append(len(kept.records))
    assert counts == [1, 1, 2, 3, 3, 4, 5]
    clock.advance(59)
    record.look()
    assert len(kept.records) == 5
    clock.advance(1)
    record.look()
    assert len(kept.records) == 6
    clock.set_by(-3600)
    record.look()
    assert len(kept.records) == 7, "a clock that was set back holds nothing up"
    assert {name for name, _, _ in kept.records} == {CONDITION}
    assert read_condition(kept.records[-1][2]) == seen[-1]
