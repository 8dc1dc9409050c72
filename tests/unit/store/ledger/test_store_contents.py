"""A file that is rewritten with the same pixels is no new frame."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scopewatch.core.tickets import FrameTicket, Mark
from tests.unit.store.scene import START, Scene, key, read_rows, tables, ticket

LATER = timedelta(days=3)


def touched(offered: FrameTicket) -> FrameTicket:
    """Return the ticket of the same file after a program set its time."""
    return replace(offered, fingerprint="touched", seen_at=START + LATER)


def is_settled(scene: Scene, offered: FrameTicket) -> bool:
    mark = Mark(offered.locator, offered.fingerprint, offered.content)
    return offered.locator in scene.store.settled("folder", [mark])


def written(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the database without the fingerprints of files."""
    rows = tables(scene.folder)
    del rows["frames"]
    frames = "SELECT id, state, attempts, seen_at, settled_at, content FROM frames ORDER BY id"
    return rows | {"frames": read_rows(scene.folder, frames)}


def test_a_scored_frame_stays_as_it_is(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    for time_point in range(3):
        scene.score(key(time_point=time_point), 0.1, content=f"pixels {time_point}")
    before = written(scene)
    for time_point in range(3):
        offered = touched(ticket(key(time_point=time_point), content=f"pixels {time_point}"))
        assert not is_settled(scene, offered), "its new fingerprint is to be recorded"
        with caplog.at_level(logging.INFO):
            assert not scene.store.claim(offered)
        assert is_settled(scene, offered)
    assert written(scene) == before
    assert caplog.text.count("file was rewritten with the same pixels") == 3
    assert "scored again" not in caplog.text


def test_a_quarantined_frame_stays_as_it_is(scene: Scene) -> None:
    scene.spoil(key(), content="pixels")
    before = written(scene)
    assert not scene.store.claim(touched(ticket(key(), content="pixels")))
    assert written(scene) == before
    assert is_settled(scene, touched(ticket(key(), content="pixels")))


def test_other_pixels_are_scored_again(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.score(key(), 0.1, content="pixels")
    scene.score(key(), 0.7, content="other pixels", fingerprint="2")
    assert "frame changed since it was seen, scored again" in caplog.text
    assert scene.rows("SELECT positive_fraction FROM results") == [(0.7,)]
    assert scene.rows("SELECT content, fingerprint FROM frames") == [("other pixels", "2")]


@pytest.mark.parametrize(("before", "now"), [("", "pixels"), ("pixels", ""), ("", "")])
def test_pixels_that_are_not_known_are_not_taken_for_the_same(
    scene: Scene, before: str, now: str
) -> None:
    scene.score(key(), 0.1, content=before)
    assert scene.store.claim(touched(ticket(key(), content=now)))


def test_a_frame_of_unknown_pixels_that_is_scored_again_keeps_its_day(scene: Scene) -> None:
    """An older version scored the frame, and a program touches its file now."""
    scene.score(key(), 0.7, taken={"dated": False})
    offered = touched(ticket(key(), content="pixels"))
    assert scene.store.claim(offered)
    scene.commit(offered, 0.7, dated=False)
    assert scene.rows("SELECT day FROM results") == [(0.0,)]
    seen_at = ticket(key()).seen_at
    ((recorded,),) = scene.rows("SELECT seen_at FROM frames")
    assert recorded.startswith(f"{seen_at:%Y-%m-%d %H:%M}")


def test_a_touched_frame_that_takes_the_process_down_has_no_more_attempts(scene: Scene) -> None:
    offered = ticket(key(), content="pixels")
    marks = [replace(offered, fingerprint=str(index)) for index in range(4)]
    assert [scene.store.claim(mark) for mark in marks] == [True, True, True, False]
    assert scene.rows("SELECT state, fault FROM frames") == [("quarantined", "failed")]
