"""Walks of large folders are spaced, and no file is missed for it."""

import logging
from pathlib import Path

import pytest
from watchdog.events import DirCreatedEvent, DirMovedEvent

from scopewatch.sources.folder.walk_rests import WalkRests
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import FRAME, write


@pytest.mark.parametrize(
    ("took_s", "polling", "rests_s"),
    [
        (0.01, False, 0),
        (0.09, True, 0),
        (0.1, False, 20),
        (0.1, True, 2),
        (1.2, False, 240),
        (1.2, True, 24),
        (60, False, 300),
        (60, True, 60),
    ],
)
def test_a_walk_is_followed_by_a_rest_that_what_it_took_decides(
    took_s: float, polling: bool, rests_s: float
) -> None:
    rests = WalkRests()
    rests.note(took_s, 1000.0, polling=polling)
    assert rests.over(1000.0) == (rests_s == 0)
    if rests_s:
        assert not rests.over(1000.0 + rests_s - 0.5)
    assert rests.over(1000.0 + rests_s)
    rests.end()
    assert rests.over(1000.0)


@pytest.fixture
def costly_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each walk take half a second of the processor, as one of 100,000 files."""
    taken = iter(range(1_000_000))
    monkeypatch.setattr(
        "scopewatch.sources.folder.intake.time.thread_time", lambda: next(taken) / 2
    )


@pytest.mark.usefixtures("costly_walks")
def test_a_file_whose_event_was_lost_in_a_large_folder_is_found_after_the_rest(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make(settle_s=0).start()
    monkeypatch.setattr(scene.source._watch.touches, "on_any_event", lambda _event: None)
    write(tmp_path / FRAME)
    scene.later(30)
    scene.later(30)
    assert scene.inbox.tickets == []
    scene.later(45)
    scene.later(1)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


@pytest.mark.usefixtures("costly_walks")
def test_files_that_there_was_no_room_for_are_sought_without_a_rest(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make(settle_s=0)
    monkeypatch.setattr(scene.source._checks.stability, "_capacity", 2)
    for time_point in range(6):
        write(tmp_path / FRAME.replace("t0003", f"t{time_point:04d}"))
    scene.start()
    for _ in range(4):
        scene.later(1)
    assert len(scene.inbox.tickets) == 6


@pytest.mark.usefixtures("costly_walks")
def test_a_source_that_is_started_again_walks_at_once(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=0).start()
    scene.source.stop()
    write(tmp_path / FRAME)
    scene.start()
    scene.later(0)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


@pytest.mark.usefixtures("costly_walks")
@pytest.mark.parametrize("place", ["day 3", "day 3/plate 1/A1"])
def test_files_that_come_with_their_folder_are_found_without_a_walk_of_the_whole(
    tmp_path: Path, make: Make, place: str
) -> None:
    for folder in (tmp_path / "in", tmp_path / "begun" / place):
        folder.mkdir(parents=True)
    scene = make(tmp_path / "in", settle_s=0).start()
    write(tmp_path / "begun" / place / FRAME)
    (tmp_path / "begun" / "day 3").rename(tmp_path / "in" / "day 3")
    moved = DirMovedEvent(str(tmp_path / "begun" / "day 3"), str(tmp_path / "in" / "day 3"))
    scene.source._watch.touches.on_any_event(moved)
    scene.later(1)
    assert [ticket.locator for ticket in scene.inbox.tickets] == [f"{place}/{FRAME}"]


@pytest.mark.usefixtures("costly_walks")
@pytest.mark.parametrize(
    ("folder", "recursive"),
    [("@eaDir", True), (".part/day 3", True), ("plate.ome.zarr", True), ("day 3", False)],
)
def test_new_folders_that_hold_no_frames_are_not_walked(
    tmp_path: Path, make: Make, folder: str, recursive: bool
) -> None:
    scene = make(settle_s=0, recursive=recursive).start()
    write(tmp_path / folder / FRAME)
    scene.source._watch.touches.on_any_event(DirCreatedEvent(str(tmp_path / folder)))
    scene.later(1)
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])


@pytest.mark.usefixtures("costly_walks")
def test_a_store_that_comes_is_named_at_once_and_no_folder_of_it_is_walked(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    scene = make(settle_s=0).start()
    store = tmp_path / "HES7_1"
    write(store / "0" / FRAME)
    (store / "zarr.json").write_text("{}", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        for folder in (store, store / "0"):
            scene.source._watch.touches.on_any_event(DirCreatedEvent(str(folder)))
        scene.later(1)
    assert "OME-Zarr store is ignored" in caplog.text
    assert scene.inbox.tickets == []


@pytest.mark.usefixtures("costly_walks")
def test_a_new_folder_that_is_gone_again_is_no_trouble(tmp_path: Path, make: Make) -> None:
    scene = make(settle_s=0).start()
    scene.source._watch.touches.on_any_event(DirCreatedEvent(str(tmp_path / "day 3")))
    scene.later(1)
    health = scene.source.health()
    assert health.alive
    assert "trouble" not in health.detail


@pytest.mark.usefixtures("costly_walks")
def test_after_an_outage_of_the_database_the_folder_is_walked_without_a_rest(
    tmp_path: Path, make: Make
) -> None:
    scene = make(settle_s=0).start()
    scene.ledger.broken = True
    write(tmp_path / "day 3" / FRAME)
    scene.source._watch.touches.on_any_event(DirCreatedEvent(str(tmp_path / "day 3")))
    scene.later(1)
    assert scene.inbox.tickets == []
    scene.ledger.broken = False
    scene.later(2)
    scene.later(2)
    assert len(scene.inbox.tickets) == 1
