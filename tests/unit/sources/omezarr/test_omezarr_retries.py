"""Planes of a store that were refused and that a person wants retried."""

from pathlib import Path

from scopewatch.core.tickets import Refusal
from tests.unit.sources.omezarr_scene import Make, Scene
from tests.unit.sources.zarrs import ZarrStore


def refuse_a_cut_plane(folder: Path, make: Make) -> tuple[Scene, Refusal, Path, bytes]:
    """Return a source that refused a plane, the refusal, the chunk file and its whole content."""
    image = ZarrStore(folder).image(axes="tyx")
    image.put(t=0)
    chunk = image.put(t=1)
    content = chunk.read_bytes()
    chunk.write_bytes(content[:-5])
    scene = make().start()
    scene.later(61)
    (refused,) = scene.inbox.refusals
    scene.ledger.settle(*scene.inbox.tickets, refused)
    return scene, refused, chunk, content


def test_a_plane_whose_chunk_is_still_incomplete_is_refused_for_that_and_never_as_gone(
    tmp_path: Path, make: Make
) -> None:
    scene, refused, *_ = refuse_a_cut_plane(tmp_path, make)
    scene.ask(refused)
    for _ in range(3):
        scene.later(10)
    assert scene.inbox.refusals == []
    scene.later(41)
    assert scene.inbox.reasons == [refused.reason]


def test_a_plane_that_is_completed_while_it_is_waited_for_is_offered(
    tmp_path: Path, make: Make
) -> None:
    scene, refused, chunk, content = refuse_a_cut_plane(tmp_path, make)
    scene.ask(refused)
    scene.later(1)
    chunk.write_bytes(content)
    scene.later(1)
    assert scene.inbox.refusals == []
    assert [key.rpartition("/t")[2] for key in scene.inbox.keys] == ["0001/phase"]


def test_a_plane_whose_chunk_was_deleted_is_gone(tmp_path: Path, make: Make) -> None:
    scene, refused, chunk, _ = refuse_a_cut_plane(tmp_path, make)
    chunk.unlink()
    scene.ask(refused)
    scene.later(1)
    (again,) = scene.inbox.refusals
    assert again.locator == refused.locator
    assert "to be tried again is gone" in again.reason
