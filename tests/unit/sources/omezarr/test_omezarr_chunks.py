"""When a plane of an OME-Zarr array is complete: chunks of every kind, also during writing."""

import os
import warnings
import zlib
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr.codecs
import zarr.codecs.numcodecs
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError
from scopewatch.sources.omezarr.array import units
from scopewatch.sources.omezarr.array.pixels import read_planes
from scopewatch.sources.omezarr.store import OmeZarrStore
from tests.unit.sources.images import pixels
from tests.unit.sources.omezarr_scene import Make, Scene
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore

PLANE_BYTES = HEIGHT * WIDTH * 2
V3 = {
    "blosc": zarr.codecs.BloscCodec(cname="zstd"),
    "zstd": zarr.codecs.ZstdCodec(),
    "zstd with checksum": zarr.codecs.ZstdCodec(checksum=True),
    "gzip": zarr.codecs.GzipCodec(),
    "checksum alone": zarr.codecs.Crc32cCodec(),
}
V2 = {
    "blosc": numcodecs.Blosc("lz4"),
    "zstd": numcodecs.Zstd(),
    "gzip": numcodecs.GZip(),
    "zlib": numcodecs.Zlib(),
    "lz4": numcodecs.LZ4(),
}
PACKED: dict[str, tuple[str, Any]] = {
    **{f"0.5 {name}": ("0.5", codec) for name, codec in V3.items()},
    **{f"0.4 {name}": ("0.4", codec) for name, codec in V2.items()},
}


def loaded(scene: Scene, index: int = -1) -> NDArray[Any]:
    return scene.source.load(scene.inbox.tickets[index]).pixels


def held_back(chunk: Path) -> bytes:
    """Remove a chunk file and return its content."""
    content = chunk.read_bytes()
    chunk.unlink()
    return content


@pytest.mark.parametrize(("version", "codec"), PACKED.values(), ids=PACKED)
def test_packed_chunks_are_read_and_one_that_is_cut_off_waits(
    tmp_path: Path, make: Make, version: str, codec: Any
) -> None:
    image = ZarrStore(tmp_path, version=version).image(axes="tyx", compressors=[codec])
    image.put(t=0)
    chunk = image.put(t=1)
    whole = held_back(chunk)
    scene = make().start()
    assert np.array_equal(loaded(scene), pixels(HEIGHT, WIDTH, seed=0))
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        chunk.write_bytes(whole[:length])
        assert scene.rescan() == []
        assert scene.source.health().waiting == 1
    chunk.write_bytes(whole)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]
    assert np.array_equal(loaded(scene), pixels(HEIGHT, WIDTH, seed=1))
    assert (scene.inbox.refusals, scene.source.health().waiting) == ([], 0)


def test_lz4_of_numcodecs_in_zarr_3_is_read(tmp_path: Path, make: Make) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        codec = zarr.codecs.numcodecs.LZ4()
        image = ZarrStore(tmp_path).image(axes="tyx", compressors=[codec])
        image.put(t=0)
    scene = make().start()
    assert np.array_equal(loaded(scene), pixels(HEIGHT, WIDTH, seed=0))


@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2"])
def test_every_kind_of_camera_counts_is_read_to_the_last_bit(
    tmp_path: Path, make: Make, dtype: str
) -> None:
    image = ZarrStore(tmp_path, version="0.4").image(axes="tyx", dtype=dtype)
    plane = (pixels(HEIGHT, WIDTH) % 256).astype(dtype)
    image.put(plane)
    scene = make().start()
    assert np.array_equal(loaded(scene), plane)
    assert loaded(scene).dtype.isnative


def test_a_raw_chunk_is_whole_only_with_all_its_bytes(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    chunk = image.put(t=1)
    whole = held_back(chunk)
    scene = make().start()
    for length in (0, 1, PLANE_BYTES // 2, PLANE_BYTES - 1):
        chunk.write_bytes(whole[:length])
        assert scene.rescan() == []
    chunk.write_bytes(whole)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]


def test_what_is_never_completed_is_refused_with_the_reason_and_taken_when_it_is(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    chunk = image.put(t=1)
    whole = held_back(chunk)
    chunk.write_bytes(whole[:-5])
    scene = make().start()
    scene.later(59)
    assert scene.inbox.refusals == []
    scene.later(2)
    assert scene.inbox.reasons == [
        "plane of the OME-Zarr store is not complete: HES7.zarr [1]"
        f" (got a chunk has {PLANE_BYTES - 5} of {PLANE_BYTES} bytes);"
        " let the writer finish, or copy the store again"
    ]
    scene.later(500)
    assert len(scene.inbox.refusals) == 1, "reported once"
    chunk.write_bytes(whole)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]


def test_a_file_that_got_its_size_before_its_pixels_waits(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", size={"y": 256, "x": 256})
    image.put(pixels(256, 256), t=0)
    chunk = image.put(pixels(256, 256, seed=1), t=1)
    whole = held_back(chunk)
    scene = make().start()
    for filled in (0, len(whole) // 2):
        chunk.write_bytes(whole[:filled] + bytes(len(whole) - filled))
        assert scene.rescan() == []
    scene.later(61)
    assert "got its end is zeros" in scene.inbox.reasons[0]
    chunk.write_bytes(whole)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]


@pytest.mark.parametrize("compressors", [None, [zarr.codecs.BloscCodec()]], ids=["raw", "blosc"])
def test_a_plane_of_nothing_but_the_fill_value_is_no_frame(
    tmp_path: Path, make: Make, compressors: Any
) -> None:
    # acquire-zarr writes such planes for frames that were skipped.
    options = {"compressors": compressors, "fill_value": 7, "config": {"write_empty_chunks": True}}
    image = ZarrStore(tmp_path).image(axes="tyx", **options)
    image.put(t=0)
    for time, value in ((1, 7), (2, 0)):
        image.put(np.full((HEIGHT, WIDTH), value, np.uint16), t=time)
    image.put(np.full((HEIGHT, WIDTH), 9, np.uint16), t=3)
    scene = make().start()
    assert [ticket.key.time_point for ticket in scene.inbox.tickets] == [0, 3]
    scene.later(100)
    assert (scene.inbox.refusals, scene.source.health().waiting) == ([], 0)


def test_names_that_writers_use_before_the_final_one_are_no_chunks(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    chunk = image.put(t=1)
    whole = held_back(chunk)
    for name in ("0.__lock", "0.d3b07384d113edec49eaa6238ad5ff00.partial", "00", "+1", "0.tmp"):
        (chunk.parent / name).write_bytes(whole)
    (image.folder / "c/01").mkdir()
    (image.folder / "c/x").mkdir()
    scene = make().start()
    assert len(scene.inbox.tickets) == 1
    (chunk.parent / "0.__lock").rename(chunk)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]


def test_a_plane_spread_over_several_chunks_needs_all_of_them(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", chunks=(1, 10, 20))
    image.put(t=0)
    image.put(t=1)
    tiles = sorted(path for path in (image.folder / "c/1").rglob("*") if path.is_file())
    assert len(tiles) == 6
    kept = {tile: held_back(tile) for tile in tiles}
    scene = make().start()
    assert np.array_equal(loaded(scene), pixels(HEIGHT, WIDTH, seed=0))
    for tile, content in kept.items():
        assert scene.rescan() == []
        tile.write_bytes(content)
    assert scene.rescan() == ["plate/A1/s0/t0001/phase"]
    assert np.array_equal(loaded(scene), pixels(HEIGHT, WIDTH, seed=1))


def test_a_plane_of_which_chunks_never_come_is_refused(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", chunks=(1, 10, 20))
    image.put(t=0)
    (image.folder / "c/0/1/1").unlink()
    scene = make().start()
    scene.later(61)
    assert "got 1 of 6 chunks are missing" in scene.inbox.reasons[0]


def test_a_plane_whose_chunk_changed_since_it_was_offered_is_not_read(
    tmp_path: Path, make: Make
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put(t=0)
    chunk = image.put(t=1)
    scene = make().start()
    ticket = scene.inbox.ticket("t0001/phase")
    chunk.unlink()
    with pytest.raises(FrameError, match="not the one that was found"):
        scene.source.load(ticket)
    image.put(pixels(HEIGHT, WIDTH, seed=99), t=1)
    with pytest.raises(FrameError, match="not the one that was found"):
        scene.source.load(ticket)


def test_a_plane_whose_chunk_goes_while_it_is_read_is_not_black(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = ZarrStore(tmp_path).image(axes="tyx").put(t=0)
    scene = make().start()

    def read_late(*arguments: Any) -> Any:
        chunk.unlink()
        return read_planes(*arguments)

    monkeypatch.setattr(units, "read_planes", read_late)
    with pytest.raises(FrameError, match="not the one that was found"):
        scene.source.load(scene.inbox.tickets[0])


def test_what_waits_is_looked_into_again_only_when_its_files_changed(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    chunk = image.put(t=1)
    chunk.write_bytes(b"half")
    scene = make().start()
    looks: list[object] = []
    examine = units.Units.examine

    def counting(self: units.Units, *arguments: Any, **options: Any) -> Any:
        looks.append(arguments)
        return examine(self, *arguments, **options)

    monkeypatch.setattr(units.Units, "examine", counting)
    for _ in range(3):
        scene.later(1)
    assert looks == []
    chunk.write_bytes(b"a half")
    scene.later(1)
    assert len(looks) == 1


def test_a_new_time_of_a_file_alone_is_no_change(tmp_path: Path, make: Make) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    chunks = [image.put(t=time) for time in range(2)]
    scene = make().start()
    for chunk in chunks:
        os.utime(chunk, ns=(10**18, 10**18))
    scene.ledger.settle(*scene.inbox.tickets)
    scene.later(1)
    scene.source.stop()
    reborn = make()
    reborn.ledger = scene.ledger
    reborn.start()
    assert (len(scene.inbox.tickets), reborn.inbox.tickets) == (2, [])


def test_chunks_that_would_fill_the_memory_are_not_unpacked(tmp_path: Path, make: Make) -> None:
    bombs = {
        "blosc": (numcodecs.Blosc(), numcodecs.Blosc().encode(bytes(2**26))),
        "zstd": (numcodecs.Zstd(), numcodecs.Zstd().encode(bytes(2**26))),
        "lz4": (numcodecs.LZ4(), numcodecs.LZ4().encode(bytes(2**26))),
        "gzip": (numcodecs.GZip(), numcodecs.GZip(9).encode(bytes(2**24))),
        "zlib": (numcodecs.Zlib(), zlib.compress(bytes(2**24))),
    }
    for name, (codec, bomb) in bombs.items():
        store = ZarrStore(tmp_path, f"{name}.zarr", version="0.4")
        image = store.image(axes="tyx", compressors=[codec])
        image.put(t=0)
        image.put(t=1).write_bytes(bomb)
    scene = make().start()
    scene.later(1)
    scene.later(61)
    assert sorted(ticket.key.time_point for ticket in scene.inbox.tickets) == [0] * len(bombs)
    reasons = scene.inbox.reasons
    for name in ("blosc", "zstd", "lz4"):
        assert any(f"{name}.zarr" in each and "declares another size" in each for each in reasons)
    for name in ("gzip", "zlib"):
        assert any(f"{name}.zarr" in each and "chunk is damaged" in each for each in reasons)
    assert len(reasons) == len(bombs)


def test_what_was_found_is_not_listed_again(tmp_path: Path, make: Make) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(channels=("Phase", "GFP"))
    for time in range(10):
        for c in range(2):
            image.put(pixels(HEIGHT, WIDTH, seed=2 * time + c), t=time, c=c)
    scene = make().start()
    assert len(scene.inbox.tickets) == 20
    (followed,) = scene.source._followed.values()
    assert isinstance(followed.data_set, OmeZarrStore)
    scene.later(3)
    before = followed.data_set.listed
    scene.later(1)
    assert followed.data_set.listed == before + 1, "a scan lists the folder of time points alone"
