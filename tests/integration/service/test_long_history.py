"""The real daemon ends in time, however much of its history the rules have yet to evaluate."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.history.filled import History, fill
from tests.integration.daemon import Daemon
from tests.unit.store.scene import RATES, TABLE, read_rows

WELLS, TIME_POINTS = 24, 240
RULES = [
    {"name": "weak", "kind": "weak-now", "target": 0.5, "from_day": 8},
    {"name": "will end weak", "kind": "weak-forecast", "target": 0.5, "consecutive": 2},
    {"name": "collapse", "kind": "plate-collapse", "share": 0.5},
    {"name": "sudden change", "kind": "sudden-change", "consecutive": 2},
    {"name": "unfit", "kind": "unfit-frames", "consecutive": 2},
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fill a run that ended an hour ago and that no rule has evaluated."""
    folder = tmp_path_factory.mktemp("filled")
    now = datetime.now(UTC)
    history = History(
        began_at=now - timedelta(days=10, hours=2),
        settled_at=now - timedelta(hours=1),
        rates=RATES,
        table=TABLE,
        wells=WELLS,
        time_points=TIME_POINTS,
        run="run 1",
        unfit=0.0,
    )
    fill(folder, history)
    return folder


def last_step(daemon: Daemon) -> int:
    ((last,),) = read_rows(daemon.state, "SELECT max(last_time_point) FROM rule_states")
    return -1 if last is None else int(last)


def test_the_daemon_ends_in_time_and_goes_on_where_it_was(daemon: Daemon, filled: Path) -> None:
    shutil.copytree(filled, daemon.state)
    daemon.settings["experiment"] |= {"interval_h": 240 / TIME_POINTS, "day_from": "acquired_at"}
    daemon.settings["alerts"] = {"rules": RULES}
    reached = -1
    for _ in range(2):
        daemon.start()
        daemon.eventually(lambda reached=reached: last_step(daemon) > reached, 40)
        assert daemon.end(within_s=5) == 0
        reached = last_step(daemon)
        assert reached < TIME_POINTS - 1, "the stop has to come before the end of the history"
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    assert not [line for line in lines if line["level"] in ("error", "critical")]
    # A clean stop: the next start reports no crash.
    names = {name for (name,) in read_rows(daemon.state, "SELECT name FROM signs_of_life")}
    assert names == {"alive", "stopped", "folder of source folder"}
    daemon.start()
    daemon.eventually(lambda: last_step(daemon) == TIME_POINTS - 1, 50)
    assert daemon.end(within_s=5) == 0
    stepped = read_rows(daemon.state, "SELECT DISTINCT last_time_point FROM rule_states")
    assert stepped == [(TIME_POINTS - 1,)]
