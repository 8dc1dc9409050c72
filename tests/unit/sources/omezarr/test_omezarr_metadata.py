"""Which well, site, channel, moment and scale the metadata of OME-Zarr stores give."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaozarrs
import zarr

from scopewatch.core.frame import FrameKey
from scopewatch.sources.base.offering import Found
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.omezarr.follower import Patience
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits
from tests.unit.sources.images import EXPERIMENT, pixels
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, omezarr_config


def found_in(path: Path, limits: ReadLimits = DEFAULT_LIMITS, **settings: Any) -> list[Found]:
    """Return what a look at the stores below a path finds, with nothing waited for."""
    now = Patience(quiet_s=0, give_up_s=0)
    stores = OmeZarrStores(omezarr_config(path, **settings), EXPERIMENT, limits, now)
    return [
        stores.found(label, sighting)
        for label, folder in stores.find(())
        for sighting in stores.open(folder).look(0.0, full=True)
    ]


def keys_in(path: Path, **settings: Any) -> list[FrameKey]:
    found = found_in(path, **settings)
    assert [each.reason for each in found if each.key is None] == []
    return [each.key for each in found if each.key is not None]


def reading_in(path: Path, **settings: Any) -> FrameReading:
    (found,) = found_in(path, **settings)
    assert found.reading is not None, found.reason
    return found.reading


def reason_in(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> str:
    (found,) = found_in(path, limits)
    assert found.key is None
    return found.reason


def change(metadata: Path, **changes: Any) -> None:
    """Change a metadata file."""
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | changes))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_stores_of_these_tests_are_valid(tmp_path: Path, version: str) -> None:
    plate = ZarrStore(tmp_path, "plate.zarr", version=version)
    plate.plate({"A/1": ["0", "1"], "B/2": ["0"]})
    for path in ("A/1/0", "A/1/1", "B/2/0"):
        plate.image(path).put()
    single = ZarrStore(tmp_path, "image.zarr", version=version)
    single.image(axes="tczyx", units={"t": "second"})
    for store in (plate, single):
        yaozarrs.validate_zarr_store(str(store.path))


@pytest.mark.parametrize(
    ("path", "well"),
    [("A/1", "A1"), ("B/03", "B3"), ("AF/48", "AF48"), ("0/1", "0_1"), ("h/9", "H9")],
)
def test_a_well_is_named_by_its_path(tmp_path: Path, path: str, well: str) -> None:
    store = ZarrStore(tmp_path)
    store.tell("", plate={"wells": [{"path": path, "rowIndex": 50, "columnIndex": 50}]})
    store.tell(path, well={"images": [{"path": "0"}]})
    store.image(f"{path}/0", axes="tyx").put()
    (key,) = keys_in(tmp_path)
    assert (key.plate, key.well, key.site) == ("plate", well, 0)


def test_a_well_with_a_name_nobody_would_write_is_named_by_the_user(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.tell("", plate={"wells": [{"path": "0/1"}]})
    store.tell("0/1", well={"images": [{"path": "0"}]})
    store.image("0/1/0", axes="tyx").put()
    assert keys_in(tmp_path, wells={"0_1": "C7"})[0].well == "C7"


def test_sites_follow_the_order_of_the_images_of_a_well(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.plate({"A/1": ["7", "2", "left/top"]}, name=None)
    for seed, name in enumerate(("2", "7", "left/top")):
        store.image(f"A/1/{name}", axes="tyx").put(pixels(HEIGHT, WIDTH, seed=seed))
    places = {found.locator.partition("/0#")[0]: found.key for found in found_in(tmp_path)}
    sites = {path: key.site for path, key in places.items() if key is not None}
    assert sites == {
        "HES7.zarr/A/1/7": 0,
        "HES7.zarr/A/1/2": 1,
        "HES7.zarr/A/1/left/top": 2,
    }


def test_row_and_column_that_say_another_well_than_the_path_are_reported(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.plate({"A/1": ["0"]})
    plate = json.loads((store.path / "zarr.json").read_text())["attributes"]["ome"]["plate"]
    plate["wells"][0] |= {"rowIndex": 2, "columnIndex": 4}
    store.tell("", plate=plate)
    store.image("A/1/0", axes="tyx").put()
    reading = reading_in(tmp_path)
    assert reading.key.well == "A1"
    (contradiction,) = map(str, reading.contradictions)
    assert "A1" in contradiction
    assert "C5" in contradiction


def test_other_acquisitions_of_a_plate_are_runs_of_their_own(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.plate({"A/1": ["0", "1", "2", "3"]})
    attributes = json.loads((store.path / "zarr.json").read_text())["attributes"]["ome"]
    began = int(datetime(2026, 3, 1, 9, tzinfo=UTC).timestamp())
    acquisitions = [{"id": 4, "starttime": began}, {"id": 5, "name": "day 2"}, {"id": 6}]
    store.tell("", plate=attributes["plate"] | {"acquisitions": acquisitions})
    told = [{"path": str(image), "acquisition": 4 + image // 2} for image in range(4)]
    store.tell("A/1", well={"images": told})
    for image in range(4):
        store.image(f"A/1/{image}", axes="tyx").put(pixels(HEIGHT, WIDTH, seed=image))
    found = found_in(tmp_path)
    assert [(each.key.experiment, each.key.site) for each in found if each.key] == [
        ("HES7", 0),
        ("HES7", 1),
        ("HES7 day 2", 0),
        ("HES7 day 2", 1),
    ]
    assert [each.moment.acquired_at for each in found] == [
        datetime(2026, 3, 1, 9, tzinfo=UTC),
        datetime(2026, 3, 1, 9, tzinfo=UTC),
        None,
        None,
    ]


def collection(
    tmp_path: Path, images: Sequence[str], *, version: str = "0.5", series: bool = True
) -> ZarrStore:
    store = ZarrStore(tmp_path, version=version)
    store.tell("", **{"bioformats2raw.layout": 3})
    if series:
        store.tell("OME", series=list(images))
    for seed, image in enumerate(images):
        store.image(image, axes="tyx").put(pixels(HEIGHT, WIDTH, seed=seed))
    return store


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_images_of_a_collection_are_named_by_their_groups(tmp_path: Path, version: str) -> None:
    # The layout and the names that pymmcore-plus writes by ome-writers.
    collection(tmp_path, ["A1_0000", "A1_0001", "B3_0000"], version=version)
    assert [(key.well, key.site) for key in keys_in(tmp_path)] == [
        ("A1", 0),
        ("A1", 1),
        ("B3", 0),
    ]


def test_numbered_images_are_named_by_their_metadata(tmp_path: Path) -> None:
    store = collection(tmp_path, ["0", "1", "2"], series=False)
    for image, name in (("0", "D2-Site_4"), ("2", "somewhere")):
        path = store.path / image / "zarr.json"
        document = json.loads(path.read_text())
        document["attributes"]["ome"]["multiscales"][0]["name"] = name
        path.write_text(json.dumps(document))
    assert [(key.well, key.site) for key in keys_in(tmp_path)] == [
        ("D2", 4),
        ("Pos1", 0),
        ("somewhere", 0),
    ]


def test_numbered_images_are_named_by_the_ome_xml_of_bioformats2raw(tmp_path: Path) -> None:
    store = collection(tmp_path, ["0", "1"])
    (store.path / "OME/METADATA.ome.xml").write_text(
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0" Name="C4_s1"/><Image ID="Image:1" Name="C5_s2"/></OME>'
    )
    assert [(key.well, key.site) for key in keys_in(tmp_path)] == [("C4", 1), ("C5", 2)]


def test_groups_with_images_need_no_layout_to_be_told(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    for seed, name in enumerate(("A1", "A2", "no image")):
        if name.startswith("A"):
            store.image(name, axes="tyx").put(pixels(HEIGHT, WIDTH, seed=seed))
        else:
            store.tell(name, labels=[])
    assert [key.well for key in keys_in(tmp_path)] == ["A1", "A2"]


def test_an_image_by_itself_is_well_a1_unless_the_user_maps_its_name(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path, "H9_1.ome.zarr")
    store.image(axes="tyx", multiscale={"name": "H9_1"}).put()
    (key,) = keys_in(tmp_path)
    assert (key.experiment, key.well, key.site) == ("HES7 H9_1", "A1", 0), "H9 is a cell line"
    assert keys_in(tmp_path, wells={"H9_1": "B2"})[0].well == "B2"
    assert keys_in(store.path, wells={"H9_1": "B2"})[0].well == "B2"


def test_only_full_resolution_and_no_labels_are_read(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(axes="tyx")
    image.put()
    levels = [
        {"path": level, "coordinateTransformations": [{"type": "scale", "scale": [1, size, size]}]}
        for level, size in (("0", 0.65), ("1", 1.3))
    ]
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    document["attributes"]["ome"]["multiscales"][0]["datasets"] = levels
    path.write_text(json.dumps(document))
    root = zarr.open_group(store.path)
    for name in ("1", "labels/cells/0"):
        made: Any = root.create_array(name, shape=(1, 12, 16), chunks=(1, 12, 16), dtype="uint16")
        made[0] = pixels(12, 16)
    (found,) = found_in(tmp_path)
    assert found.size_px == (HEIGHT, WIDTH)


AXES = ["yx", "cyx", "zyx", "tyx", "tcyx", "czyx", "tczyx", "tzcyx", "ctzyx", "xyt", "tyxc"]


@pytest.mark.parametrize("axes", AXES)
def test_axes_may_be_any_of_these_in_any_order(tmp_path: Path, axes: str) -> None:
    at = {axis: number for axis, number in (("t", 3), ("c", 1), ("z", 2)) if axis in axes}
    sizes = {axis: number + 2 for axis, number in at.items()}
    store = ZarrStore(tmp_path)
    image = store.image(axes=axes, channels=("GFP", "phase", "DAPI"), size=sizes)
    plane = pixels(HEIGHT, WIDTH, seed=4)
    image.put(plane, **at)
    stores = OmeZarrStores(
        omezarr_config(tmp_path, z=2 if "z" in axes else None), EXPERIMENT, DEFAULT_LIMITS, NOW
    )
    (sighting,) = stores.open(store.path).look(0.0, full=True)
    found = stores.found("HES7.zarr", sighting)
    assert found.key is not None, found.reason
    assert found.key.time_point == at.get("t", 0)
    assert found.key.channel == "phase"
    assert found.reading is not None
    assert found.reading.pixel_size_um == 0.65


NOW = Patience(quiet_s=0, give_up_s=0)


@pytest.mark.parametrize("axes", AXES)
def test_a_plane_is_read_the_right_way_up_whatever_the_order_of_axes(
    tmp_path: Path, make: Any, axes: str
) -> None:
    plane = pixels(HEIGHT, WIDTH, seed=4)
    ZarrStore(tmp_path).image(axes=axes).put(plane)
    scene = make().start()
    assert np.array_equal(scene.source.load(scene.inbox.tickets[0]).pixels, plane)


def test_of_a_stack_the_plane_of_the_settings_is_taken_and_others_say_so(tmp_path: Path) -> None:
    image = ZarrStore(tmp_path).image(axes="tzyx", size={"z": 3})
    for z in range(3):
        image.put(pixels(HEIGHT, WIDTH, seed=z), z=z)
    first, *others = found_in(tmp_path)
    assert first.key is not None
    assert all("frame is another plane of a z-stack" in each.reason for each in others)
    by_setting = [found.key is not None for found in found_in(tmp_path, z=1)]
    assert by_setting == [False, True, False]


def test_channels_without_labels_are_numbered_and_may_be_named(tmp_path: Path) -> None:
    image = ZarrStore(tmp_path).image(channels=(), size={"c": 2})
    for c in range(2):
        image.put(pixels(HEIGHT, WIDTH, seed=c), c=c)
    assert [key.channel for key in keys_in(tmp_path)] == ["channel0", "channel1"]
    named = keys_in(tmp_path, channel_names={"channel1": "phase"})
    assert [key.channel for key in named] == ["channel0", "phase"]


SCALES: dict[str, tuple[dict[str, str], list[float], float | None]] = {
    "micrometer": ({}, [1, 0.325, 0.325], 0.325),
    "nanometer": ({"x": "nanometer", "y": "nanometer"}, [1, 325, 325], 0.325),
    "millimeter": ({"x": "millimeter", "y": "millimeter"}, [1, 0.0005, 0.0005], 0.5),
    "no unit": ({"x": "", "y": ""}, [1, 0.325, 0.325], None),
    "another unit": ({"x": "parsec", "y": "parsec"}, [1, 0.325, 0.325], None),
}


@pytest.mark.parametrize(("units", "scale", "size_um"), SCALES.values(), ids=SCALES)
def test_the_scale_is_read_in_its_unit(
    tmp_path: Path, units: dict[str, str], scale: list[float], size_um: float | None
) -> None:
    ZarrStore(tmp_path).image(axes="tyx", scale=scale, units=units).put()
    assert reading_in(tmp_path).pixel_size_um == pytest.approx(size_um)


def test_a_scale_of_all_levels_multiplies_that_of_the_level(tmp_path: Path) -> None:
    doubled = {"coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2]}]}
    ZarrStore(tmp_path).image(axes="tyx", multiscale=doubled).put()
    assert reading_in(tmp_path).pixel_size_um == pytest.approx(1.3)


TIMES: dict[str, tuple[str, float, float]] = {
    "seconds": ("second", 7200, 6 * 3600),
    "hours": ("hour", 12, 36 * 3600),
    "a step of 1, which nobody measured": ("second", 1, 36 * 3600),
    "no unit": ("", 7200, 36 * 3600),
}


@pytest.mark.parametrize(("unit", "step", "elapsed_s"), TIMES.values(), ids=TIMES)
def test_the_interval_of_the_time_axis_counts_where_it_was_measured(
    tmp_path: Path, unit: str, step: float, elapsed_s: float
) -> None:
    image = ZarrStore(tmp_path).image(axes="tyx", scale=[step, 0.65, 0.65], units={"t": unit})
    image.put(t=3)
    assert reading_in(tmp_path).elapsed_s == elapsed_s


def test_the_date_of_an_acquisition_alone_is_that_of_its_first_plane(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(axes="tyx")
    for time in range(2):
        image.put(t=time)
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    began = {"summary_metadata": {"datetime": "2026-03-01T10:00:00+01:00"}}
    document["attributes"]["pymmcore_plus"] = began
    path.write_text(json.dumps(document))
    first, second = found_in(tmp_path)
    assert first.moment.acquired_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (second.moment.acquired_at, second.moment.elapsed_s) == (None, 12 * 3600)


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
        "OME-Zarr image is not understood: HES7.zarr (expected axes with y and x, each once"
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
    stores = OmeZarrStores(omezarr_config(tmp_path), EXPERIMENT, limits, NOW)
    followed = stores.open(store.path)
    assert followed.look(0.0, full=True) == []
    assert "metadata of the Zarr store is too long" in followed.trouble


def test_paths_of_the_metadata_do_not_lead_out_of_the_store(tmp_path: Path) -> None:
    ZarrStore(tmp_path, "other.zarr").image(axes="tyx").put()
    (tmp_path / "sub").mkdir()
    store = ZarrStore(tmp_path / "sub")
    store.tell("", plate={"wells": [{"path": "../../other.zarr"}, {"path": "/etc"}]})
    assert found_in(tmp_path / "sub") == []


def test_a_store_without_ome_metadata_is_named_in_the_health(tmp_path: Path, make: Any) -> None:
    zarr.create_array(tmp_path / "plain.zarr", shape=(2, 8, 8), dtype="uint16")
    scene = make().start()
    assert scene.source.health().detail.endswith("; plain.zarr: no OME metadata so far")
