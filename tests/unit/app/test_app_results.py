"""A start removes pictures that the last process drew and did not commit, and nothing else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.app.results import open_overlays
from scopewatch.config import Config
from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.files import overlays
from scopewatch.store.files.pictures import remove_picture
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.core.samples import make_card
from tests.unit.store.scene import Scene, files_of, key, open_store, ticket

DONE, SPOILT, CLAIMED, UNKNOWN = (key(time_point=number) for number in range(4))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run 7"},
            "model": {"bundle": tmp_path / "bundle"},
            "sources": [{"kind": "folder", "path": tmp_path / "in"}],
            "state": {"folder": tmp_path / "state"},
        }
    )


@pytest.fixture
def reader(config: Config, clock: FakeClock) -> Iterator[Reader]:
    """A database with a done, a quarantined and a claimed frame; pictures of these and another."""
    store = open_store(config.state.folder, clock)
    scene = Scene(store=store, folder=config.state.folder)
    scene.score(DONE, 0.7)
    scene.spoil(SPOILT)
    assert store.claim(ticket(CLAIMED))
    store.close()
    for name in names_of(DONE, SPOILT, CLAIMED, UNKNOWN):
        path = config.state.folder / "overlays" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    with closing(Reader.open(config.state.folder)) as reader:
        yield reader


def names_of(*frames: FrameKey) -> set[str]:
    files = [files_of(frame) for frame in frames]
    return {str(name) for each in files for name in (each.overlay, each.stain)}


def on_disk(config: Config) -> set[str]:
    folder = config.state.folder / "overlays"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_pictures_go_of_frames_that_the_ledger_has_without_a_result(
    config: Config, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    open_overlays(config, make_card(), reader)
    assert on_disk(config) == names_of(DONE, UNKNOWN)
    (record,) = (each for each in caplog.records if "without a result removed" in each.message)
    assert record.__dict__["event"] == {"files": 4}
    open_overlays(config, make_card(), reader)
    assert on_disk(config) == names_of(DONE, UNKNOWN)


def test_a_picture_that_cannot_be_removed_holds_the_start_up_no_more_than_others(
    config: Config,
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse_some(path: Path) -> None:
        if "t0001" in path.name:
            raise StoreError(f"picture cannot be removed: {path}; give it the rights")
        remove_picture(path)

    monkeypatch.setattr(overlays, "remove_picture", refuse_some)
    open_overlays(config, make_card(), reader)
    assert on_disk(config) == names_of(DONE, SPOILT, UNKNOWN)
    assert caplog.messages.count("picture without a result stays") == 1
