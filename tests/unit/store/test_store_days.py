import logging
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.core.imaging.frame import FrameKey
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, frame_of, key, open_store, ticket

DAY = timedelta(days=1)


def day_of(store: Store, frame: FrameKey, acquired_at: datetime | None, seen_at: datetime) -> float:
    offered = replace(ticket(frame), seen_at=seen_at)
    return store.day_of(offered, frame_of(frame, acquired_at=acquired_at, dated=bool(acquired_at)))


def test_without_a_start_the_first_frame_is_day_zero(scene: Scene) -> None:
    scene.score(key(time_point=0), 0.4)
    assert day_of(scene.store, key(time_point=3), START + 1.5 * DAY, START) == 1.5


def test_a_configured_start_is_day_zero(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock, started_at=START - 2 * DAY)
    assert day_of(store, key(), START, START) == 2.0
    store.close()


def test_a_frame_without_a_time_takes_the_moment_it_was_seen(scene: Scene) -> None:
    scene.score(key(time_point=0), 0.4)
    assert day_of(scene.store, key(time_point=1), None, START + DAY) == 1.0


def test_days_may_come_from_the_index_and_the_interval(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock, day_from="time_point", interval_h=6)
    assert day_of(store, key(time_point=6), START - 100 * DAY, START) == 1.5
    store.close()


def test_an_earlier_frame_that_arrives_later_moves_day_zero_and_every_day(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.score(key(time_point=4), 0.4)
    scene.score(key(time_point=6), 0.4)
    with caplog.at_level(logging.WARNING):
        scene.score(key(time_point=0), 0.4)
    assert "day 0 of the run moved" in caplog.text
    days = "SELECT time_point, {0}.day FROM {0} JOIN frames ON frames.id = frame_id ORDER BY 1"
    assert scene.rows(days.format("results")) == [(0, 0.0), (4, 2.0), (6, 3.0)]
    assert scene.rows("SELECT time_point, day FROM well_estimates ORDER BY 1") == [
        (0, 0.0),
        (4, 2.0),
        (6, 3.0),
    ]


def test_a_start_that_is_corrected_while_the_run_goes_on_moves_every_day(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock)
    Scene(store=store, folder=tmp_path).score(key(time_point=0), 0.4)
    store.close()
    again = open_store(tmp_path, clock, started_at=START - 3 * DAY)
    scene = Scene(store=again, folder=tmp_path)
    scene.score(key(time_point=2), 0.4)
    assert scene.rows("SELECT day FROM results ORDER BY day") == [(3.0,), (4.0,)]
    assert scene.rows("SELECT day FROM well_estimates ORDER BY day") == [(3.0,), (4.0,)]
    assert scene.rows("SELECT now_day FROM well_outlooks ORDER BY day") == [(3.0,), (4.0,)]
    again.close()


def test_days_from_the_index_stay_when_an_earlier_frame_arrives(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock, day_from="time_point")
    scene = Scene(store=store, folder=tmp_path)
    scene.score(key(time_point=4), 0.4)
    scene.score(key(time_point=0), 0.4)
    assert scene.rows("SELECT day FROM results ORDER BY day") == [(0.0,), (2.0,)]
    store.close()


def test_a_frame_from_before_the_start_has_a_negative_day_and_the_log_says_so(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(tmp_path, clock, started_at=START)
    with caplog.at_level(logging.WARNING):
        assert day_of(store, key(), START - 0.5 * DAY, START) == -0.5
    assert "frame was taken before the run started" in caplog.text
    store.close()


def test_a_time_point_is_as_late_as_its_last_site(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock, sites_per_well=2, started_at=START)
    scene = Scene(store=store, folder=tmp_path)
    for site, hours in ((0, 24), (1, 36)):
        offered = ticket(key(site=site))
        store.claim(offered)
        scene.commit(offered, 0.4, acquired_at=START + timedelta(hours=hours))
    assert scene.rows("SELECT day, n_sites FROM well_estimates") == [(1.5, 2)]
    store.close()
