"""A folder source that finds OME-Zarr stores reports them and ignores them."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from watchdog.events import DirCreatedEvent, FileCreatedEvent

from scopewatch.sources.folder.touches import Touches
from scopewatch.sources.folder.walk import walk_images
from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import FRAME, write
from tests.unit.sources.zarrs import ZarrStore


def store_with_an_image(folder: Path, name: str) -> None:
    store = ZarrStore(folder, name)
    image = store.image()
    for time in range(3):
        image.put(t=time)
    write(image.folder / "c" / FRAME)


@pytest.mark.parametrize("name", ["plate.ome.zarr", "HES7_1"])
def test_stores_are_not_entered(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "run" / FRAME)
    store_with_an_image(tmp_path / "run", name)
    listed: list[str] = []
    scandir: Callable[..., object] = os.scandir

    def noting(path: Path) -> object:
        listed.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    stores: set[str] = set()
    seen = [each.locator for each in walk_images(tmp_path, recursive=True, stores=stores)]
    assert (seen, stores) == ([f"run/{FRAME}"], {f"run/{name}"})
    assert not [path for path in listed if f"{name}/" in path]


def test_a_store_is_named_once_in_the_log_and_in_the_health(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    scene = make().start()
    assert "OME-Zarr" not in scene.source.health().detail
    store_with_an_image(tmp_path, "plate.ome.zarr")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            scene.later(1)
    named = [record for record in caplog.records if "OME-Zarr store is ignored" in record.message]
    assert len(named) == 1
    assert scene.source.health().detail.endswith(
        f"; {tmp_path}/plate.ome.zarr is an OME-Zarr store: it needs a source of kind ome-zarr"
    )
    assert (scene.inbox.tickets, scene.inbox.refusals) == ([], [])


def test_a_folder_that_is_a_store_itself_says_so(tmp_path: Path, make: Make) -> None:
    store_with_an_image(tmp_path, "HES7_1")
    scene = make(tmp_path / "HES7_1").start()
    assert f"{tmp_path}/HES7_1 is an OME-Zarr store" in scene.source.health().detail


def test_what_is_written_into_a_store_asks_for_no_walk(tmp_path: Path) -> None:
    touches = Touches(root=str(tmp_path))
    inside = tmp_path / "plate.ome.zarr/A/1"
    touches.on_any_event(DirCreatedEvent(str(inside)))
    touches.on_any_event(FileCreatedEvent(str(inside / "0.tif")))
    assert (touches.lost, touches.drain(), touches.drain_folders()) == (False, [], [])
    touches.on_any_event(DirCreatedEvent(str(inside.parents[1])))
    assert touches.drain_folders() == [str(inside.parents[1])], "that there is a store is seen"


def test_a_watched_folder_may_lie_within_one_called_like_a_store(tmp_path: Path) -> None:
    root = tmp_path / "old.zarr/images"
    touches = Touches(root=str(root))
    touches.on_any_event(FileCreatedEvent(str(root / FRAME)))
    assert touches.drain() == [(str(root / FRAME), False)]
