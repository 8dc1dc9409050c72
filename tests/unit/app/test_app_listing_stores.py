"""OME-Zarr stores as input of `score` and `explain`."""

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from scopewatch.app.explain.options import ReadingOptions
from scopewatch.app.explain.places import explain_places
from scopewatch.app.explain.survey import survey_folder, survey_omezarr
from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.listing import Listing, ListingSettings
from scopewatch.config import FolderSourceConfig, RunConfig
from tests.unit.sources.images import RUN, pixels, write
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, omezarr_config

List = Callable[..., list[Listed | Unlisted]]


@pytest.fixture
def listing() -> List:
    def of(path: Path, **settings: Any) -> list[Listed | Unlisted]:
        made = ListingSettings(
            run=RunConfig(name="score"),
            source=FolderSourceConfig(kind="folder", path=Path(), **settings),
            now=datetime(2026, 3, 1, tzinfo=UTC),
        )
        return list(Listing(made).walk(path))

    return of


def keys(items: list[Listed | Unlisted]) -> list[str]:
    return [str(item.key) for item in items if isinstance(item, Listed)]


def a_plate(folder: Path, name: str = "run1.ome.zarr") -> ZarrStore:
    store = ZarrStore(folder, name)
    store.plate({"A/1": ["0"], "B/2": ["0"]})
    for seed, path in enumerate(("A/1/0", "B/2/0")):
        image = store.image(path, axes="tczyx", channels=("Phase", "GFP"), size={"z": 2})
        for c in range(2):
            for z in range(2):
                image.put(pixels(HEIGHT, WIDTH, seed=10 * seed + 2 * c + z), t=1, c=c, z=z)
    return store


@pytest.mark.parametrize("z", [None, 0, 1])
def test_each_plane_of_a_store_is_a_frame_of_the_z_that_is_wanted(
    tmp_path: Path, listing: List, z: int | None
) -> None:
    a_plate(tmp_path / "data")
    items = listing(tmp_path / "data", z=z)
    assert keys(items) == [
        f"data run1/P7/{well}/s0/t0001/{channel}"
        for well in ("A1", "B2")
        for channel in ("phase", "GFP")
    ]
    first = next(item for item in items if isinstance(item, Listed))
    assert np.array_equal(first.load().pixels, pixels(HEIGHT, WIDTH, seed=z or 0))
    assert first.place == f"{tmp_path}/data/run1.ome.zarr/A/1/0/0#at=[1,0,{z or 0}]"
    others = [item.reason for item in items if isinstance(item, Unlisted)]
    assert len(others) == 4
    assert all(reason.startswith("frame is another plane of a z-stack") for reason in others)


def test_a_store_may_be_named_itself(tmp_path: Path, listing: List) -> None:
    store = a_plate(tmp_path)
    assert keys(listing(store.path))[0] == "run1/P7/A1/s0/t0001/phase"


def test_a_plane_that_is_not_whole_is_listed_with_its_reason_and_missing_ones_are_not(
    tmp_path: Path, listing: List
) -> None:
    image = ZarrStore(tmp_path, "run1.zarr").image(axes="tyx")
    image.put(t=0)
    image.put(t=2).write_bytes(b"half")
    whole, half = listing(tmp_path)
    assert isinstance(whole, Listed)
    assert isinstance(half, Unlisted)
    assert f"got a chunk has 4 of {HEIGHT * WIDTH * 2} bytes" in half.reason


def test_planes_that_share_a_chunk_are_listed_at_once(tmp_path: Path, listing: List) -> None:
    image = ZarrStore(tmp_path, "run1.zarr").image(axes="tyx", chunks=(4, HEIGHT, WIDTH))
    for time in range(6):
        image.put(t=time)
    items = listing(tmp_path)
    assert [item.key.time_point for item in items if isinstance(item, Listed)] == list(range(6))
    for time, item in enumerate(items):
        assert isinstance(item, Listed)
        assert np.array_equal(item.load().pixels, pixels(HEIGHT, WIDTH, seed=time))


def test_a_store_without_ome_metadata_is_listed_with_its_reason(
    tmp_path: Path, listing: List
) -> None:
    zarr.create_group(tmp_path / "plain.zarr")
    (item,) = listing(tmp_path)
    assert isinstance(item, Unlisted)
    assert item.reason.startswith(f"OME-Zarr store cannot be listed: {tmp_path}/plain.zarr")


@pytest.fixture
def no_zarr(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "zarr" else find_spec(name)
    )


@pytest.mark.usefixtures("no_zarr")
def test_without_zarr_a_store_is_listed_with_what_to_install(tmp_path: Path, listing: List) -> None:
    write(tmp_path / "P1_A1_s0_t0000_phase.tif")
    a_plate(tmp_path)
    file, store = listing(tmp_path)
    assert isinstance(file, Listed)
    assert isinstance(store, Unlisted)
    assert "got no zarr package); install it: pip install 'scopewatch[zarr]'" in store.reason
    explained = survey_omezarr(omezarr_config(tmp_path), RUN)
    assert explained is not None
    assert "got no zarr package" in explained.skipped[0].reason


def test_stores_and_files_of_a_folder_are_explained_each_as_their_source_reads_them(
    tmp_path: Path,
) -> None:
    a_plate(tmp_path)
    write(tmp_path / "P1_A1_s0_t0000_phase.tif")
    files, stores = explain_places([tmp_path], None, ReadingOptions())
    assert (files.kind, files.frames) == ("folder", 1)
    assert (stores.kind, stores.listed, stores.frames) == ("ome-zarr", 8, 4)
    assert {well for case in stores.cases for well in case.values["well"]} == {"A1", "B2"}
    assert survey_omezarr(omezarr_config(tmp_path / "P1"), RUN) is None


def test_a_folder_source_over_a_store_is_refused_with_the_kind_of_source_that_reads_it(
    tmp_path: Path,
) -> None:
    a_plate(tmp_path)
    source = FolderSourceConfig(kind="folder", path=tmp_path)
    explained = survey_folder(source, RUN, names_stores=True)
    assert (explained.listed, explained.frames) == (1, 0)
    assert explained.skipped[0].reason == (
        "OME-Zarr store is not read by a source of kind folder: run1.ome.zarr;"
        " add a source of kind ome-zarr for it"
    )
    assert survey_folder(source, RUN).listed == 0
