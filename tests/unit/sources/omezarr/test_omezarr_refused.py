"""OME-Zarr stores that cannot be read are refused with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest
import zarr

from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import ReadLimits
from tests.unit.sources.images import RUN
from tests.unit.sources.zarr_looks import NOW, change, found_in, keys_in, reason_in
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, omezarr_config

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "floats": ({"data_type": "float32"}, "expected 8- or 16-bit unsigned pixels, got float32"),
    "a codec that runs code": (
        {"codecs": [{"name": "bytes"}, {"name": "numcodecs.pickle"}]},
        "got bytes, pickle",
    ),
    "two compressors": (
        {"codecs": [{"name": "bytes"}, {"name": "gzip"}, {"name": "zstd"}]},
        "got bytes, gzip, zstd",
    ),
    "another grid": ({"chunk_grid": {"name": "rectilinear"}}, "got rectilinear"),
    "other dimensions": ({"shape": [20, 3, 24, 32]}, "3 dimensions, as the image has axes"),
    "chunks of nothing": (
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 0, 32]}}},
        "chunks of at least one pixel",
    ),
    "tiny chunks": (
        {
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, 1]}},
            "shape": [2, 2048, 2048],
        },
        "at most 4096 chunks in a plane",
    ),
    "too many planes": ({"shape": [10**7, 24, 32]}, "at most 100000 planes"),
    "too many pixels": ({"shape": [2, 10**6, 10**6]}, "image declares too many pixels"),
    "huge chunks": (
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10**6, 24, 32]}}},
        "chunks of a few planes",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_array_that_is_not_read_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx")
    image.put()
    change(image.folder / "zarr.json", **changes)
    refusal = reason_in(tmp_path)
    assert reason in refusal
    assert "\n" not in refusal


def test_pickled_filters_of_zarr_2_are_refused(tmp_path: Path) -> None:
    image = ZarrStore(tmp_path, version="0.4").image(axes="tyx")
    image.put()
    change(image.folder / ".zarray", filters=[{"id": "pickle"}], dtype="|O")
    assert "expected 8- or 16-bit unsigned pixels, got |O" in reason_in(tmp_path)
    change(image.folder / ".zarray", filters=[{"id": "pickle"}], dtype="<u2")
    assert "got pickle" in reason_in(tmp_path)


def test_an_image_of_another_version_is_refused_by_its_version(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.image(axes="tyx").put()
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    document["attributes"]["ome"]["version"] = "0.6"
    del document["attributes"]["ome"]["multiscales"][0]["axes"]
    path.write_text(json.dumps(document))
    assert reason_in(tmp_path) == (
        "OME-Zarr image has an unknown structure: HES7.zarr (expected axes with y and x, each once"
        " (NGFF 0.4 or 0.5), got version 0.6); export it as OME-Zarr 0.4 or 0.5"
    )


def test_another_axis_with_several_planes_is_refused(tmp_path: Path) -> None:
    image = ZarrStore(tmp_path).image(axes="tcyx", channels=("Phase",))
    image.put()
    path = tmp_path / "HES7.zarr/zarr.json"
    document = json.loads(path.read_text())
    axes = document["attributes"]["ome"]["multiscales"][0]["axes"]
    axes[1] = {"name": "cam", "type": "other"}
    path.write_text(json.dumps(document))
    assert [key.channel for key in keys_in(tmp_path)] == ["phase"]
    change(image.folder / "zarr.json", shape=[20, 2, HEIGHT, WIDTH])
    assert "expected axes t, c, z, y, x, got 2 along 'cam'" in reason_in(tmp_path)


def test_metadata_longer_than_the_limit_is_not_read(tmp_path: Path, make: Any) -> None:
    store = ZarrStore(tmp_path)
    store.image(axes="tyx").put()
    limits = ReadLimits(max_text_bytes=100)
    stores = OmeZarrStores(omezarr_config(tmp_path), RUN, limits, NOW)
    followed = stores.open(store.path)
    assert followed.look(0.0, full=True) == []
    assert "metadata of the Zarr store is too long" in followed.trouble


def test_paths_of_the_metadata_do_not_lead_out_of_the_store(tmp_path: Path) -> None:
    ZarrStore(tmp_path, "other.zarr").image(axes="tyx").put()
    (tmp_path / "sub").mkdir()
    store = ZarrStore(tmp_path / "sub")
    store.describe("", plate={"wells": [{"path": "../../other.zarr"}, {"path": "/etc"}]})
    assert found_in(tmp_path / "sub") == []


def test_a_store_without_ome_metadata_is_named_in_the_health(tmp_path: Path, make: Any) -> None:
    zarr.create_array(tmp_path / "plain.zarr", shape=(2, 8, 8), dtype="uint16")
    scene = make().start()
    assert scene.source.health().detail.endswith("; plain.zarr: no OME metadata so far")
