"""A frame that was given up is tried once more, after a hundred others."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket, Mark
from scopewatch.store.read import second_tries
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store, ticket

SOURCES = ("folder",)
SINCE = 6
HOW = "SELECT state, attempts, fault, reason, retried FROM frames WHERE time_point = 0"


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A store that tries again after a few other frames."""
    assert second_tries.SINCE == 100
    monkeypatch.setattr(second_tries, "SINCE", SINCE)
    store = open_store(tmp_path, clock, max_attempts=2)
    yield Scene(store=store, folder=tmp_path)
    store.close()


def give_up(scene: Scene, frame: FrameKey) -> FrameTicket:
    """Claim a frame until its attempts are used up, as when it ends the process each time."""
    offered = ticket(frame, content="pixels")
    assert [scene.store.claim(offered) for _ in range(3)] == [True, True, False]
    return offered


def settle_others(scene: Scene, clock: FakeClock, count: int, since: int = 1) -> None:
    for index in range(since, since + count):
        clock.advance(1)
        frame = key("B2", index)
        if index % 2:
            scene.store.quarantine(ticket(frame), "blank", "it is blank")
        else:
            scene.store.claim(ticket(frame))
            scene.commit(ticket(frame), 0.7)


def test_it_waits_for_the_set_number_of_others(scene: Scene, clock: FakeClock) -> None:
    assert scene.store.second_try(SOURCES) is None
    offered = give_up(scene, key())
    settle_others(scene, clock, SINCE - 1)
    assert scene.store.second_try(SOURCES) is None
    settle_others(scene, clock, 1, since=SINCE)
    assert scene.store.second_try(("another",)) is None
    assert scene.store.second_try(SOURCES) == offered


def test_one_that_goes_well_is_scored_as_any_other(
    scene: Scene, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    give_up(scene, key())
    settle_others(scene, clock, SINCE)
    with caplog.at_level(logging.INFO):
        again = scene.store.second_try(SOURCES)
    assert again is not None
    assert "frame that was given up is tried once more" in caplog.text
    assert scene.rows(HOW) == [("claimed", 3, None, None, 1)]
    scene.commit(again, 0.7)
    assert scene.rows(HOW) == [("done", 3, None, None, 1)]
    assert scene.store.second_try(SOURCES) is None


def test_one_that_ends_the_process_again_stays_given_up(scene: Scene, clock: FakeClock) -> None:
    offered = give_up(scene, key())
    settle_others(scene, clock, SINCE)
    assert scene.store.second_try(SOURCES) is not None
    # The process ended; the next one finds it unsettled.
    assert scene.store.settled("folder", [Mark(offered.locator, "1")]) == set()
    assert not scene.store.claim(offered)
    reason = "failed 3 times: it took the daemon down, or never ended"
    assert scene.rows(HOW) == [("quarantined", 4, "failed", reason, 1)]
    settle_others(scene, clock, 2 * SINCE, since=SINCE + 1)
    assert scene.store.second_try(SOURCES) is None
    assert scene.store.settled("folder", [Mark(offered.locator, "1")]) == {offered.locator}


def test_several_come_one_after_another_the_oldest_first(scene: Scene, clock: FakeClock) -> None:
    for time_point in (0, 1):
        give_up(scene, key("A1", time_point))
        clock.advance(1)
    settle_others(scene, clock, SINCE)
    tries = [scene.store.second_try(SOURCES) for _ in range(3)]
    assert [each and each.key.time_point for each in tries] == [0, 1, None]


def test_new_pixels_under_its_name_have_all_their_attempts(scene: Scene, clock: FakeClock) -> None:
    give_up(scene, key())
    settle_others(scene, clock, SINCE)
    scene.store.second_try(SOURCES)
    replaced = ticket(key(), fingerprint="2", content="other pixels")
    assert [scene.store.claim(replaced) for _ in range(3)] == [True, True, False]
    settle_others(scene, clock, SINCE, since=SINCE + 1)
    assert scene.store.second_try(SOURCES) == replaced


def test_asking_costs_nothing_where_nothing_failed(scene: Scene, clock: FakeClock) -> None:
    settle_others(scene, clock, 10)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert scene.store.second_try(SOURCES) is None
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    ((statement, values),) = [each for each in asked if each[0].startswith("SELECT")]
    with closing(sqlite3.connect(scene.folder / "scopewatch.db")) as database:
        ((*_, plan),) = database.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert plan == "SCAN frames USING INDEX ix_frames_failed"
