"""State of a time-lapse, and lines of its journal, for the dashboard's tests."""

from datetime import timedelta

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act
from scopewatch.core.acquisition.standing import (
    AcquisitionStanding,
    FocusPoint,
    FocusStanding,
    Held,
)
from tests.unit.web.fakes import FACTS, NOW

STANDING = AcquisitionStanding(
    source="scope",
    time_points=20,
    next_time_point=5,
    next_at=NOW + timedelta(hours=3),
    focus=FocusStanding(
        method="lock",
        time_point=4,
        drift_um=12.34,
        focused=95,
        failed=1,
        reason="A3: focus did not lock within 10 s",
        course=(
            FocusPoint(time_point=3, at=NOW - timedelta(hours=24), drift_um=None, failed=2),
            FocusPoint(time_point=4, at=NOW - timedelta(hours=12), drift_um=12.34, failed=1),
        ),
    ),
)
PAUSED = Held(act=Act.PAUSE, by="anna, command line", since=NOW)
AWAY = Held(act=Act.MEDIUM, by="anna", since=NOW, height_um=4.0, until=NOW + timedelta(minutes=30))


def entry(act: Act = Act.PAUSE, *, done: bool | None = True, hours: float = 1) -> JournalEntry:
    at = NOW - timedelta(hours=hours)
    return JournalEntry(
        number=1,
        source="scope",
        run=FACTS.run,
        act=act,
        by="anna, command line",
        at=at,
        done=done,
        done_at=None if done is None else at,
        outcome="" if done is None else "as it was wanted",
    )
