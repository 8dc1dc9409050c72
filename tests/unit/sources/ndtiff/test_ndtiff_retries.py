"""Images of data sets that a person wants tried again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def test_an_image_that_was_refused_is_refused_once_more_and_nothing_else_is_offered(
    tmp_path: Path, make: Make
) -> None:
    with writing(tmp_path) as writer:
        for z in range(3):
            writer.add(0, z=z)
    scene = make(z=2).start()
    first, second = scene.inbox.refusals
    scene.ledger.settle(*scene.inbox.tickets, first, second)
    scene.ask(second)
    scene.later(1)
    assert [each.locator for each in scene.inbox.refusals] == [second.locator]
    assert scene.inbox.reasons == [second.reason]
    assert scene.inbox.tickets == []
    assert scene.arrivals.images == 0, "it was saved long ago"
    scene.ledger.settle(*scene.inbox.refusals)
    for _ in range(3):
        scene.later(700)
    assert len(scene.inbox.refusals) == 1


def test_an_image_whose_data_set_was_deleted_is_gone(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for z in range(2):
            writer.add(0, z=z)
    scene = make(z=1).start()
    (refused,) = scene.inbox.refusals
    scene.ledger.settle(*scene.inbox.tickets, refused)
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    scene.ask(refused)
    scene.later(1)
    (reported,) = scene.inbox.refusals
    assert reported.locator == refused.locator
    assert "to be tried again is gone" in reported.reason


def test_images_whose_tiff_is_still_waited_for_are_not_gone(tmp_path: Path, make: Make) -> None:
    folder = write_data_set(tmp_path, times=2)
    (tiff,) = folder.glob("*.tif")
    moved = tiff.rename(tmp_path / "moved")
    scene = make().start()
    scene.later(61)
    (refused,) = scene.inbox.refusals
    scene.ledger.settle(refused)
    scene.ask(refused)
    for _ in range(3):
        scene.later(10)
    assert scene.inbox.refusals == []
    moved.rename(tiff)
    scene.later(1)
    assert len(scene.inbox.tickets) == 2
    (gone,) = scene.inbox.refusals
    assert gone.locator == refused.locator, "no image of the index misses its pixels any more"
