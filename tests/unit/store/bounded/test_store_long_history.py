"""The reads and writes of a commit do not grow with the history of its well or plate."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.history.filled import History, fill
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from tests.conftest import FakeClock
from tests.unit.store.scene import RATES, START, TABLE, Scene, key, open_store

# None of them ever raises an alert.
SINGLE = (
    AlertRule(name="weak", limit=2),
    AlertRule(name="heads for weak", kind=RuleKind.WEAK_FORECAST, limit=2),
    AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE, limit=100),
    AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, limit=2),
)
JOINT = (
    *SINGLE,
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=2),
    AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL, limit=1000),
)
# SQLite calls this after a number of its instructions.
EVERY = 10


@dataclass
class Reading:
    """The work of a database connection: rows read, and instructions of SQLite's machine."""

    rows: int = 0
    steps: int = 0

    def watch(self, connection: Any, *_: object) -> None:
        def count(_cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
            self.rows += 1
            return row

        def work() -> int:
            self.steps += EVERY
            return 0

        connection.row_factory = count
        connection.set_progress_handler(work, EVERY)


def history_of(time_points: int, wells: int) -> History:
    return History(
        began_at=START,
        settled_at=START,
        rates=RATES,
        table=TABLE,
        wells=wells,
        time_points=time_points,
        run="run 7",
        unfit=0.0,
    )


def make(folder: Path, history: History, rules: Sequence[AlertRule]) -> Scene:
    """Make a long or a short history that the rules have evaluated."""
    fill(folder, history)
    clock = FakeClock()
    clock.advance(86_400)
    store = open_store(folder, clock, started_at=START, interval_h=history.interval_h)
    scene = Scene(store=store, folder=folder, rules=rules)
    go_on(scene, history, history.time_points)
    store.let_time_pass()
    assert not store.behind
    return scene


def go_on(scene: Scene, history: History, time_point: int) -> list[int]:
    """Record the next time point; return the number of alerts of each commit."""
    taken = {"acquired_at": history.taken_at(time_point)}
    return [
        len(scene.score(key(well, time_point), 0.5, taken=taken).alerts) for well in history.names
    ]


def commits(scene: Scene, history: History) -> list[Reading]:
    """Return the work of each commit of the next time point."""
    found = []
    time_point = history.time_points + 1
    taken = {"acquired_at": history.taken_at(time_point)}
    for well in history.names:
        reading = Reading()
        engines = (scene.store._writer, scene.store._reader)
        for engine in engines:
            engine.dispose()
            event.listen(engine, "connect", reading.watch)
        assert scene.score(key(well, time_point), 0.5, taken=taken).alerts == ()
        for engine in engines:
            event.remove(engine, "connect", reading.watch)
            engine.dispose()
        found.append(reading)
    stepped = scene.rows("SELECT DISTINCT last_time_point FROM rule_states")
    assert stepped == [(time_point,)], "all rules have evaluated all of it"
    return found


def compare(short: list[Reading], long: list[Reading]) -> None:
    assert [each.rows for each in long] == [each.rows for each in short]
    for few, many in zip(short, long, strict=True):
        # SQLite's trees are a level or two deeper, and values some bytes longer.
        assert many.steps <= 1.1 * few.steps


@pytest.mark.parametrize("rules", [SINGLE, JOINT], ids=["wells by themselves", "a whole plate"])
def test_a_commit_reads_as_much_of_a_long_history_as_of_a_short_one(
    tmp_path: Path, rules: tuple[AlertRule, ...]
) -> None:
    found = []
    for time_points in (10, 400):
        history = history_of(time_points, wells=3)
        scene = make(tmp_path / str(time_points), history, rules)
        found.append(commits(scene, history))
        scene.store.close()
    compare(*found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_commit_reads_as_much_of_48_000_results_as_of_1_000(tmp_path: Path) -> None:
    found = []
    for time_points in (10, 500):
        history = history_of(time_points, wells=96)
        scene = make(tmp_path / str(time_points), history, JOINT)
        found.append(commits(scene, history))
        scene.store.close()
    compare(*found)
