"""Shards, and chunks of several planes: each plane of an OME-Zarr array once it is complete."""

import json
import struct
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
import zarr.codecs
import zarr.codecs.numcodecs
from numpy.typing import NDArray

from tests.unit.sources.images import pixels
from tests.unit.sources.omezarr_scene import Make, Scene
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrImage, ZarrStore

PLANE_BYTES = HEIGHT * WIDTH * 2


def loaded(scene: Scene, index: int = -1) -> NDArray[Any]:
    return scene.source.load(scene.inbox.tickets[index]).pixels


SHARDED: dict[str, dict[str, Any]] = {
    "raw": {},
    "blosc": {"compressors": [zarr.codecs.BloscCodec()]},
    "zstd": {"compressors": [zarr.codecs.ZstdCodec()]},
    "tiles": {"chunks": (1, 1, 12, 16)},
}


@pytest.mark.parametrize("options", SHARDED.values(), ids=SHARDED)
def test_of_a_shard_each_plane_counts_once_its_index_names_it(
    tmp_path: Path, make: Make, options: dict[str, Any]
) -> None:
    image = ZarrStore(tmp_path).image(channels=("Phase", "GFP"), shards=(4, 2, 24, 32), **options)
    scene = make().start()
    for time in range(6):
        for c, channel in enumerate(("phase", "GFP")):
            plane = pixels(HEIGHT, WIDTH, seed=10 * time + c)
            image.put(plane, t=time, c=c)  # this rewrites the whole shard
            assert scene.rescan() == [f"plate/A1/s0/t{time:04d}/{channel}"]
            assert np.array_equal(loaded(scene), plane)
    assert scene.source.health().waiting == 0
    for index in range(12):
        assert loaded(scene, index).max() > 0, "the fingerprints of all still hold"


def a_shard(planes: list[bytes | None], *, checksum: bool, at_end: bool) -> bytes:
    """Return a shard of raw planes, in the form of a writer that appends them."""
    index, body = b"", b""
    start = 0 if at_end else 16 * len(planes) + 4 * checksum
    for plane in planes:
        if plane is None:
            index += b"\xff" * 16
        else:
            index += struct.pack("<2Q", start + len(body), len(plane))
            body += plane
    if checksum:
        index += struct.pack("<I", google_crc32c.value(index))
    return body + index if at_end else index + body


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("checksum", [True, False])
def test_a_shard_that_is_filled_in_place_is_taken_once_its_index_holds(
    tmp_path: Path, make: Make, *, checksum: bool, at_end: bool
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", shards=(4, HEIGHT, WIDTH))
    metadata = image.folder / "zarr.json"
    document = json.loads(metadata.read_text())
    sharding = document["codecs"][0]["configuration"]
    sharding["index_location"] = "end" if at_end else "start"
    if not checksum:
        sharding["index_codecs"] = sharding["index_codecs"][:1]
    metadata.write_text(json.dumps(document))
    planes = [pixels(HEIGHT, WIDTH, seed=time).tobytes() for time in range(4)]
    shard = a_shard([planes[0], None, planes[2], planes[3]], checksum=checksum, at_end=at_end)
    file = image.folder / "c/0/0/0"
    file.parent.mkdir(parents=True)
    scene = make().start()
    for length, whole in ((5, []), (PLANE_BYTES, []), (PLANE_BYTES + 100, [0])):
        file.write_bytes(shard[:length])
        scene.later(1)
        times = [ticket.key.time_point for ticket in scene.inbox.tickets]
        assert times == ([] if at_end else whole)
    file.write_bytes(shard)
    scene.later(1)
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 2, 3]
    for ticket in scene.inbox.tickets:
        plane = scene.source.load(ticket).pixels
        assert np.array_equal(plane, pixels(HEIGHT, WIDTH, seed=ticket.key.time_point))


def test_an_index_that_its_checksum_does_not_hold_for_is_not_believed(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", shards=(4, HEIGHT, WIDTH))
    planes = [pixels(HEIGHT, WIDTH, seed=time).tobytes() for time in range(4)]
    shard = a_shard([planes[0], planes[1], None, None], checksum=True, at_end=True)
    file = image.folder / "c/0/0/0"
    file.parent.mkdir(parents=True)
    file.write_bytes(shard[:-1] + bytes([shard[-1] ^ 1]))
    scene = make().start()
    assert (scene.inbox.tickets, scene.source.health().waiting) == ([], 1)
    assert "the index of a shard is not written yet" in scene.source.health().detail
    file.write_bytes(shard)
    assert len(scene.rescan()) == 2


def three_to_a_chunk(tmp_path: Path, **options: Any) -> ZarrImage:
    store = ZarrStore(tmp_path)
    return store.image(axes="tyx", chunks=(3, HEIGHT, WIDTH), **options)


CHUNKED: dict[str, dict[str, Any]] = {
    "raw": {},
    "blosc": {"compressors": [zarr.codecs.BloscCodec()]},
    "sharded": {"shards": (6, HEIGHT, WIDTH)},
}


@pytest.mark.parametrize("options", CHUNKED.values(), ids=CHUNKED)
def test_planes_that_share_a_chunk_count_when_it_is_quiet_and_never_as_black(
    tmp_path: Path, make: Make, options: dict[str, Any]
) -> None:
    image = three_to_a_chunk(tmp_path, **options)
    scene = make().start()
    image.put(t=0)
    assert scene.rescan() == [], "it may be written again with more planes"
    assert scene.source.health().waiting == 1
    assert scene.rescan(5) == ["plate/A1/s0/t0000/phase"], "the others are not there, not black"
    image.put(t=1)
    assert scene.rescan() == []
    assert scene.rescan(5) == ["plate/A1/s0/t0001/phase"]
    image.put(t=2)
    image.put(t=3)
    assert scene.rescan() == ["plate/A1/s0/t0002/phase"], "a later chunk is there"
    for ticket in scene.inbox.tickets:
        plane = scene.source.load(ticket).pixels
        assert np.array_equal(plane, pixels(HEIGHT, WIDTH, seed=ticket.key.time_point))
    scene.later(100)
    assert (len(scene.inbox.tickets), scene.inbox.refusals) == (4, [])


def test_a_chunk_in_which_no_plane_is_missing_counts_once_its_file_rests(
    tmp_path: Path, make: Make
) -> None:
    image = three_to_a_chunk(tmp_path)
    scene = make().start()
    for time in range(3):
        image.put(t=time)
    assert scene.rescan() == []
    assert scene.rescan(1) == [f"plate/A1/s0/t000{time}/phase" for time in range(3)]


def test_planes_that_share_a_chunk_count_when_the_image_is_closed(
    tmp_path: Path, make: Make
) -> None:
    image = three_to_a_chunk(tmp_path)
    image.put(t=0)
    scene = make().start()
    assert scene.inbox.tickets == []
    metadata = tmp_path / "HES7.zarr/zarr.json"
    document = json.loads(metadata.read_text())
    # As ome-writers does when it creates the group, then when it closes the stream.
    for listed, offered in (([], []), ([{"storage_index": [0]}], ["plate/A1/s0/t0000/phase"])):
        document["attributes"]["ome_writers"] = {"frame_metadata": listed}
        metadata.write_text(json.dumps(document))
        assert scene.rescan() == offered
