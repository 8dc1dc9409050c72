"""Single files acquired again under their old names, as docs/reliability.md describes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.tickets import Mark
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, key, open_store, ticket

AGAIN = START + timedelta(days=20)


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    store = open_store(tmp_path / "state", clock)
    made = Scene(store=store, folder=tmp_path / "state")
    for time_point in range(4):
        made.score(key(time_point=time_point), 0.7)
    yield made
    store.close()


def acquire_again(scene: Scene, time_point: int, fraction: float) -> None:
    offered = ticket(key(time_point=time_point), fingerprint="2")
    assert scene.store.claim(offered)
    scene.commit(offered, fraction, acquired_at=AGAIN + timedelta(hours=12 * time_point))


def test_each_file_replaces_the_result_of_its_name_and_days_go_on_from_the_first_run(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    acquire_again(scene, 0, 0.1)
    assert "frame changed since it was seen, scored again" in caplog.text
    rows = scene.rows("SELECT time_point, day FROM well_estimates ORDER BY time_point")
    assert rows == [(0, 20.0), (1, 0.5), (2, 1.0), (3, 1.5)], "two runs in one course"


def test_rules_step_only_beyond_the_newest_time_point_of_the_first_run(
    scene: Scene,
) -> None:
    for time_point in range(4):
        acquire_again(scene, time_point, 0.1)
    assert scene.rows("SELECT count(*) FROM alerts") == [(0,)]
    for time_point in (4, 5):
        acquire_again(scene, time_point, 0.1)
    assert scene.rows("SELECT raised_time_point FROM alerts") == [(5,)]


@pytest.mark.parametrize(("source", "fingerprint"), [("folder", "2"), ("folder again", "1")])
def test_another_name_keeps_the_results_of_the_first_run(
    scene: Scene, source: str, fingerprint: str
) -> None:
    locator = ticket(key()).locator
    assert scene.store.settled(source, [Mark(locator, fingerprint)]) == set()
    renamed = replace(key(), run="run 8")
    scene.score(renamed, 0.1, locator=locator, source=source, fingerprint=fingerprint)
    rows = scene.rows(
        "SELECT r.name, count(*) FROM results JOIN frames f ON f.id = frame_id"
        " JOIN wells w ON w.id = well_id JOIN runs r ON r.id = run_id GROUP BY r.name"
    )
    assert rows == [("run 7", 4), ("run 8", 1)]
