"""OME-Zarr stores as a source: which frames it finds, under which names, while stores grow."""

import importlib.util
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError, FrameError
from scopewatch.sources.omezarr.first_plane import WAIT_S
from tests.unit.sources.images import pixels
from tests.unit.sources.omezarr_scene import Make
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, omezarr_config

LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "0.5": ("0.5", {}),
    "0.5 with dots": ("0.5", {"chunk_key_encoding": {"name": "default", "separator": "."}}),
    "0.5 with keys of v2": ("0.5", {"chunk_key_encoding": {"name": "v2", "separator": "/"}}),
    "0.4": ("0.4", {"chunk_key_encoding": {"name": "v2", "separator": "/"}}),
    "0.4 with dots": ("0.4", {"chunk_key_encoding": {"name": "v2", "separator": "."}}),
}


@pytest.mark.parametrize(("version", "options"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_growing_plate_is_followed_plane_by_plane(
    tmp_path: Path, make: Make, version: str, options: dict[str, Any]
) -> None:
    scene = make().start()
    store = ZarrStore(tmp_path, version=version)
    store.plate({"A/1": ["fov0", "fov1"], "B/12": ["fov0"]})
    places = {"A/1/fov0": "A1/s0", "A/1/fov1": "A1/s1", "B/12/fov0": "B12/s0"}
    images = {path: store.image(path, channels=("Phase", "GFP"), **options) for path in places}
    assert scene.rescan() == [], "its arrays have their full shape, and no chunk is there"
    for time in range(3):
        for path, place in places.items():
            for c, channel in enumerate(("phase", "GFP")):
                plane = pixels(HEIGHT, WIDTH, seed=100 * time + c)
                images[path].put(plane, t=time, c=c)
                assert scene.rescan() == [f"P7/{place}/t{time:04d}/{channel}"]
                frame = scene.source.load(scene.inbox.tickets[-1])
                assert np.array_equal(frame.pixels, plane)
                assert frame.pixel_size_um == 0.65
    health = scene.source.health()
    assert (health.found, health.waiting, health.ended) == (18, 0, False)
    assert health.detail == f"{tmp_path}: 1 data sets, channels GFP, phase"
    assert scene.inbox.refusals == []


def test_nothing_is_ever_written_into_a_store(tmp_path: Path, make: Make) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(compressors="auto")
    for time in range(3):
        image.put(t=time)

    def state() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_size, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")
        }

    before = state()
    scene = make().start()
    for ticket in scene.inbox.tickets:
        scene.source.load(ticket)
    scene.later(100)
    assert len(scene.inbox.tickets) == 3
    assert state() == before


def test_the_path_may_be_the_store_itself_and_appear_later(tmp_path: Path, make: Make) -> None:
    scene = make(tmp_path / "any name.zarr").start()
    assert not scene.inbox.tickets
    store = ZarrStore(tmp_path, "any name.zarr")
    store.image(axes="tyx").put(t=0)
    assert scene.rescan() == ["plate/A1/s0/t0000/phase"]
    assert scene.inbox.keys[0].startswith("HES7/"), "named by the path, it is the configured run"


def test_stores_in_dated_folders_are_runs_of_their_own(tmp_path: Path, make: Make) -> None:
    for number in (1, 2):
        folder = tmp_path / f"day{number}"
        folder.mkdir()
        image = ZarrStore(folder, "plate.ome.zarr").image(axes="tyx")
        image.put(pixels(HEIGHT, WIDTH, seed=number))
    scene = make().start()
    assert sorted(scene.inbox.keys) == [
        "HES7 day1 plate/plate/A1/s0/t0000/phase",
        "HES7 day2 plate/plate/A1/s0/t0000/phase",
    ]


def test_a_store_needs_no_suffix_and_hidden_folders_hold_none(tmp_path: Path, make: Make) -> None:
    for folder in ("HES7_1", ".stversions", "moving.part"):
        ZarrStore(tmp_path, folder).image(axes="tyx").put()
    assert make().start().inbox.keys == ["HES7/plate/A1/s0/t0000/phase"]


EMPTIED = (b"", b'{"zarr_format": 3, "node_type": "group", "attributes": {}}', b'{"zar')


@pytest.mark.parametrize("groups", ["", "C", "C/3", "C/3/0", "D/4"])
def test_an_emptied_group_takes_nothing_away_that_is_known(
    tmp_path: Path, make: Make, groups: str
) -> None:
    # acquire-zarr overwrites all groups at its end, and ome-writers restores them.
    store = ZarrStore(tmp_path)
    store.plate({"C/3": ["0"], "D/4": ["0"]})
    images = [store.image(f"{well}/0", axes="tyx") for well in ("C/3", "D/4")]
    for seed, image in enumerate(images):
        image.put(pixels(HEIGHT, WIDTH, seed=seed), t=0)
    scene = make().start()
    arrays = [image.folder for image in images]
    kept = {
        path: path.read_bytes()
        for path in (store.path / groups).rglob("zarr.json")
        if path.parent not in arrays
    }
    for content in EMPTIED:
        for path in kept:
            path.write_bytes(content)
        scene.later(1)
        for ticket in scene.inbox.tickets:
            assert scene.source.load(ticket).pixel_size_um == 0.65
    images[0].put(t=1)
    assert scene.rescan() == ["P7/C3/s0/t0001/phase"]
    for path, content in kept.items():
        path.write_bytes(content)
    images[0].put(t=2)
    assert scene.rescan() == ["P7/C3/s0/t0002/phase"]
    assert (scene.inbox.refusals, len(scene.inbox.tickets)) == ([], 4)


def test_wells_that_are_not_there_yet_are_found_when_they_come(tmp_path: Path, make: Make) -> None:
    store = ZarrStore(tmp_path)
    store.plate({"A/1": ["0"], "A/2": ["0"]})
    second = store.path / "A/2/zarr.json"
    reported = second.read_text()
    second.unlink()
    store.image("A/1/0", axes="tyx").put()
    scene = make().start()
    assert scene.inbox.keys == ["HES7/P7/A1/s0/t0000/phase"]
    second.write_text(reported)
    store.image("A/2/0", axes="tyx").put()
    assert scene.rescan() == ["P7/A2/s0/t0000/phase"]


def test_a_chunk_beyond_the_shape_so_far_is_a_plane(tmp_path: Path, make: Make) -> None:
    # acquire-zarr writes the shape of its array after the chunks exist.
    store = ZarrStore(tmp_path)
    image = store.image(axes="tyx")
    image.put(t=0)
    plane = image.put(t=7)
    metadata = image.folder / "zarr.json"
    document = json.loads(metadata.read_text())
    document["shape"][0] = 1
    metadata.write_text(json.dumps(document))
    scene = make().start()
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 7]
    loaded = scene.source.load(scene.inbox.tickets[1]).pixels
    assert np.array_equal(loaded, np.fromfile(plane, "<u2").reshape(HEIGHT, WIDTH))


def test_an_array_that_grows_by_a_channel_is_followed(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(channels=("Phase", "GFP"), size={"c": 1})
    for time in range(3):
        image.put(t=time)
    scene = make().start()
    scene.later(1)
    assert len(scene.inbox.tickets) == 3
    image.resize(t=20, c=2)
    image.put(pixels(HEIGHT, WIDTH, seed=60), t=1, c=1)
    assert scene.rescan() == ["plate/A1/s0/t0001/GFP"]


def test_a_store_acquired_again_in_place_is_another_run(tmp_path: Path, make: Make) -> None:
    def acquire(seed: int, times: int) -> None:
        store = ZarrStore(tmp_path, "HES7.zarr")
        image = store.image(axes="tyx")
        for time in range(times):
            image.put(pixels(HEIGHT, WIDTH, seed=seed + time), t=time)

    acquire(0, 3)
    scene = make().start()
    assert scene.inbox.keys[-1] == "HES7/plate/A1/s0/t0002/phase"
    shutil.rmtree(tmp_path / "HES7.zarr")
    acquire(50, 2)
    scene.later(1)
    assert scene.inbox.keys[3:] == [
        "HES7 (2)/plate/A1/s0/t0000/phase",
        "HES7 (2)/plate/A1/s0/t0001/phase",
    ]
    scene.source.stop()
    reborn = make()
    reborn.ledger.acquisitions = scene.ledger.acquisitions
    reborn.start()
    assert reborn.inbox.keys == scene.inbox.keys[3:], "the next process knows it too"


def test_chunks_written_over_in_place_are_another_acquisition(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    for time in range(2):
        image.put(t=time)
    scene = make().start()
    for time in range(2):
        image.put(pixels(HEIGHT, WIDTH, seed=70 + time), t=time)
    scene.later(1)
    scene.later(1)
    assert [key.partition("/")[0] for key in scene.inbox.keys] == ["HES7"] * 2 + ["HES7 (2)"] * 2


def test_between_deleting_and_the_first_new_plane_nothing_is_taken(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    first = image.put(t=0)
    scene = make().start()
    first.unlink()
    image.put(t=5)
    assert scene.rescan() == [], "of which acquisition it is is not known"
    image.put(pixels(HEIGHT, WIDTH, seed=80), t=0)
    scene.later(1)
    assert scene.inbox.keys[1:] == [f"HES7 (2)/plate/A1/s0/t{time:04d}/phase" for time in (0, 5)]


def test_old_planes_may_be_archived_away(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    first = image.put(t=0)
    scene = make().start()
    first.unlink()
    scene.later(1)
    scene.later(61)
    image.put(t=1)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]


def test_without_its_first_plane_an_image_is_read_after_a_while(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=3)
    scene = make().start()
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 1)
    assert scene.rescan(61) == ["plate/A1/s0/t0003/phase"]


def test_without_its_first_plane_an_image_that_grows_on_waits_no_longer_than_this(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    scene = make().start()
    for time in range(1, 15):
        image.put(t=time)
        scene.later(WAIT_S / 12)
    assert scene.inbox.keys[0] == "HES7/plate/A1/s0/t0001/phase"


def test_images_that_are_moved_only_are_the_same_acquisition(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    scene = make().start()
    scene.ledger.settle(*scene.inbox.tickets)
    shutil.copytree(tmp_path / "HES7.zarr", tmp_path / "copy.part")
    shutil.rmtree(tmp_path / "HES7.zarr")
    (tmp_path / "copy.part").rename(tmp_path / "HES7.zarr")
    scene.later(1)
    assert len(scene.inbox.tickets) == 1, "other times of files, but the same content"


def test_a_store_that_went_away_is_followed_when_it_is_back(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    scene = make().start()
    (tmp_path / "HES7.zarr").rename(tmp_path / "away.part")
    scene.later(1)
    assert "0 data sets" in scene.source.health().detail
    with pytest.raises(FrameError, match="is gone"):
        scene.source.load(scene.inbox.tickets[0])
    (tmp_path / "away.part").rename(tmp_path / "HES7.zarr")
    image.put(t=1)
    scene.later(1)
    assert scene.inbox.keys[-1] == "HES7/plate/A1/s0/t0001/phase"


def test_when_planes_were_taken_gets_known_at_the_close_and_nothing_is_a_new_frame(
    tmp_path: Path, make: Make
) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(axes="tcyx", channels=("Phase",))
    for time in range(2):
        image.put(t=time)
    scene = make().start()
    assert [ticket.elapsed_s for ticket in scene.inbox.tickets] == [0.0, 43_200.0]
    metadata = store.path / "zarr.json"
    document = json.loads(metadata.read_text())
    times = [{"delta_t": 5.0, "storage_index": [0, 0]}, {"delta_t": 95.0, "storage_index": [1, 0]}]
    document["attributes"]["ome_writers"] = {"version": "0.3.2", "frame_metadata": times}
    metadata.write_text(json.dumps(document))
    scene.later(1)
    before, after = scene.inbox.tickets[:2], scene.inbox.tickets[2:]
    assert [ticket.elapsed_s for ticket in after] == [5.0, 95.0]
    for old, new in zip(before, after, strict=True):
        assert (old.key, old.locator, old.fingerprint) == (new.key, new.locator, new.fingerprint)
    assert scene.source.health().ended, "its writer declared so"
    scene.later(1)
    assert len(scene.inbox.tickets) == 4


def test_the_moment_of_an_acquisition_of_pymmcore_plus_is_known_while_it_runs(
    tmp_path: Path, make: Make
) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(axes="tyx", scale=[3600, 0.65, 0.65], units={"t": "second"})
    metadata = store.path / "zarr.json"
    document = json.loads(metadata.read_text())
    began = {"datetime": "2026-03-01T10:00:00.000001+01:00"}
    document["attributes"]["pymmcore_plus"] = {"summary_metadata": began}
    metadata.write_text(json.dumps(document))
    for time in range(2):
        image.put(t=time)
    scene = make().start()
    assert [ticket.acquired_at for ticket in scene.inbox.tickets] == [
        datetime(2026, 3, 1, 9, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 1, 10, 0, 0, 1, tzinfo=UTC),
    ]
    assert scene.source.load(scene.inbox.tickets[1]).acquired_at == datetime(
        2026, 3, 1, 10, 0, 0, 1, tzinfo=UTC
    )


def test_images_of_a_growing_store_are_counted_and_a_burst_is_offered_after_it(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    scene = make().start()
    scene.later(10)
    assert scene.arrivals.images == 0, "a backlog is no arrival"
    image.put(t=1)
    scene.later(2)
    assert scene.arrivals.came_s[-1] == (1, 2)
    scene.arrivals.burst = True
    image.put(t=2)
    scene.later(1)
    assert (len(scene.inbox.tickets), scene.source.health().waiting) == (2, 1)
    scene.arrivals.burst = False
    scene.later(1)
    assert len(scene.inbox.tickets) == 3


def test_without_zarr_the_operator_hears_what_to_install(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"got no zarr package\); install it: pip install"):
        make()


def test_the_configuration_takes_what_every_source_takes(tmp_path: Path) -> None:
    config = omezarr_config(tmp_path, z=2, um_per_px=0.5, wells={"XY01": "A1"})
    assert (config.name, config.z, config.um_per_px) == ("ome-zarr", 2, 0.5)
