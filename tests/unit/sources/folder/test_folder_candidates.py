"""Walks, events and rescans of a folder find the same files, and copies of frames are refused.

Files that by their names are never frames fill no quarantine, and are counted.
"""

from pathlib import Path

import pytest
from watchdog.events import FileClosedEvent, FileMovedEvent

from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import FRAME, write

THUMBNAIL = "Projection-Mix_E07_s1_w1{}.tif"
HIDDEN = (".~tmp~", ".stversions", ".snapshot/monday", ".Trash-1000/files", ".rsync-partial")


def touch(scene: Scene, path: Path, *, renamed_from: Path | None = None) -> None:
    """Report a file by an event alone, without a walk."""
    event = (
        FileClosedEvent(str(path))
        if renamed_from is None
        else FileMovedEvent(str(renamed_from), str(path))
    )
    scene.source._watch.touches.on_any_event(event)
    scene.source._thread.step(full=False)


@pytest.mark.parametrize("folder", HIDDEN)
def test_a_file_below_a_hidden_folder_is_taken_by_no_event_and_no_walk(
    tmp_path: Path, make: Make, folder: str
) -> None:
    scene = make(observer="polling", poll_s=3600, settle_s=1).start()
    hidden = write(tmp_path / folder / FRAME)
    for _ in range(3):
        touch(scene, hidden)
        touch(scene, hidden, renamed_from=tmp_path / "x.part")
        scene.clock.advance(2)
        scene.source._thread.step(full=False)
    scene.later(2)
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])
    assert scene.source.health().waiting == 0
    hidden.rename(tmp_path / FRAME)
    touch(scene, tmp_path / FRAME, renamed_from=hidden)
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_a_watched_folder_may_itself_lie_below_a_hidden_one(tmp_path: Path, make: Make) -> None:
    root = tmp_path / ".cache" / "run.part"
    write(root / FRAME)
    scene = make(root).start()
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]


def test_a_copy_beside_its_frame_is_refused_with_its_reason(tmp_path: Path, make: Make) -> None:
    stem = FRAME.removesuffix(".tif")
    for name in (FRAME, f"{stem} (1).tif", f"Copy of {FRAME}", f"{stem}~20240101-123456.tif"):
        write(tmp_path / "run (1)" / name)
    scene = make().start()
    assert scene.inbox.keys == ["HES7/plate/A1/s0/t0003/phase"]
    assert len(scene.inbox.reasons) == 3
    for reason in scene.inbox.reasons:
        assert reason.startswith("a copy of another file is never a frame: run (1)/")
        assert f"(got a copy of run (1)/{FRAME}); remove it" in reason


def test_thumbnails_are_left_out_and_counted_and_the_frame_is_offered(
    tmp_path: Path, make: Make
) -> None:
    for number in range(3):
        write(tmp_path / THUMBNAIL.format(f"_thumb{number}BFD4018-E675-475E-B5AB-2E959E6B6DA1"))
    write(tmp_path / THUMBNAIL.format("E94C24BD-45E4-450A-9919-257C714278F7"))
    scene = make(pattern="imagexpress").start()
    assert scene.inbox.keys == ["HES7/Projection-Mix/E7/s1/t0000/w1"]
    assert scene.inbox.reasons == []
    assert "; 3 files left out: a thumbnail" in scene.source.health().detail
    scene.source.scan()
    assert "; 3 files left out: a thumbnail" in scene.source.health().detail
