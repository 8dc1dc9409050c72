"""Alerts that an earlier version stored under a former kind of rule stay as they are."""

import sqlite3
from contextlib import closing
from datetime import timedelta

from scopewatch.core.alerts.monitor import no_frames
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene

SILENCE = AlertRule(name="no frames", kind=RuleKind.NO_FRAMES, limit=2)


def test_an_open_alert_of_the_former_kind_is_shown_not_raised_again_and_resolves(
    scene: Scene, clock: FakeClock
) -> None:
    at = clock.now()

    def look(silent_h: float) -> int:
        last = at - timedelta(hours=silent_h)
        seen = no_frames(at=at, last_frame_at=last, interval_h=12, expected=True)
        return len(scene.store.watch([(SILENCE, seen)]))

    assert look(30) == 1
    with closing(sqlite3.connect(scene.folder / "scopewatch.db")) as database, database:
        database.execute("UPDATE alerts SET kind = 'blind'")
    assert scene.rows("SELECT kind FROM alerts") == [("blind",)]
    reader = Reader.open(scene.folder)
    (row,) = reader.alerts(None, 9)
    assert (row.kind, row.resolved_at) == (RuleKind.NO_FRAMES, None)
    assert look(31) == 0
    assert look(0) == 1
    (row,) = reader.alerts(None, 9)
    assert row.resolved_at is not None
    reader.close()
