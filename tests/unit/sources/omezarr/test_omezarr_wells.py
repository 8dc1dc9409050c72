"""Well, site and run in the hierarchy of an OME-Zarr store."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import acquire_zarr as aqz
import numpy as np
import pytest
import yaozarrs

from tests.unit.sources.images import pixels
from tests.unit.sources.zarr_looks import found_in, keys_in, reading_in
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore


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
    store.describe("", plate={"wells": [{"path": path, "rowIndex": 50, "columnIndex": 50}]})
    store.describe(path, well={"images": [{"path": "0"}]})
    store.image(f"{path}/0", axes="tyx").put()
    (key,) = keys_in(tmp_path)
    assert (key.plate, key.well, key.site) == ("plate", well, 0)


def test_a_well_with_a_name_nobody_would_write_is_named_by_the_user(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.describe("", plate={"wells": [{"path": "0/1"}]})
    store.describe("0/1", well={"images": [{"path": "0"}]})
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
    store.describe("", plate=plate)
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
    store.describe("", plate=attributes["plate"] | {"acquisitions": acquisitions})
    reported = [{"path": str(image), "acquisition": 4 + image // 2} for image in range(4)]
    store.describe("A/1", well={"images": reported})
    for image in range(4):
        store.image(f"A/1/{image}", axes="tyx").put(pixels(HEIGHT, WIDTH, seed=image))
    found = found_in(tmp_path)
    assert [(each.key.run, each.key.site) for each in found if each.key] == [
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
    store.describe("", **{"bioformats2raw.layout": 3})
    if series:
        store.describe("OME", series=list(images))
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


def test_groups_with_images_need_no_layout_to_be_reported(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    for seed, name in enumerate(("A1", "A2", "no image")):
        if name.startswith("A"):
            store.image(name, axes="tyx").put(pixels(HEIGHT, WIDTH, seed=seed))
        else:
            store.describe(name, labels=[])
    assert [key.well for key in keys_in(tmp_path)] == ["A1", "A2"]


def test_the_plates_of_acquire_zarr_are_groups_below_its_store(tmp_path: Path) -> None:
    sizes = {"t": 0, "y": HEIGHT, "x": WIDTH}
    kinds = {"t": aqz.DimensionType.TIME}
    plates = [
        aqz.Plate(
            path=path,
            name=name,
            row_names=["A", "B"],
            column_names=["1", "2", "3"],
            acquisitions=[aqz.Acquisition(id=0)],
            wells=[
                aqz.Well(
                    row_name="B",
                    column_name="3",
                    images=[
                        aqz.FieldOfView(
                            path="fov1",
                            acquisition_id=0,
                            array_settings=aqz.ArraySettings(
                                data_type=np.uint16,
                                dimensions=[
                                    aqz.Dimension(
                                        name=axis,
                                        kind=kinds.get(axis, aqz.DimensionType.SPACE),
                                        array_size_px=size,
                                        chunk_size_px=size or 1,
                                        shard_size_chunks=1,
                                        unit="hour" if axis == "t" else "micrometer",
                                        scale=12.0 if axis == "t" else 0.65,
                                    )
                                    for axis, size in sizes.items()
                                ],
                            ),
                        )
                    ],
                )
            ],
        )
        for path, name in (("first", "screen 7"), ("second", ""))
    ]
    settings = aqz.StreamSettings(store_path=str(tmp_path / "run.zarr"), hcs_plates=plates)
    stream = aqz.ZarrStream(settings)
    for number, path in enumerate(("first", "second")):
        stream.append(pixels(HEIGHT, WIDTH, seed=number), f"{path}/B/3/fov1")
    stream.close()
    found = found_in(tmp_path)
    assert [each.locator for each in found] == [
        "run.zarr/first/B/3/fov1/0#at=[0]",
        "run.zarr/second/B/3/fov1/0#at=[0]",
    ]
    places = [(each.key.plate, each.key.well, each.key.site) for each in found if each.key]
    assert places == [("screen 7", "B3", 0), ("second", "B3", 0)]
    assert [each.reading.pixel_size_um for each in found if each.reading] == [0.65, 0.65]


def test_an_image_by_itself_is_well_a1_unless_the_user_maps_its_name(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path, "H9_1.ome.zarr")
    store.image(axes="tyx", multiscale={"name": "H9_1"}).put()
    (key,) = keys_in(tmp_path)
    assert (key.run, key.well, key.site) == ("HES7 H9_1", "A1", 0), "H9 is a cell line"
    assert keys_in(tmp_path, wells={"H9_1": "B2"})[0].well == "B2"
    assert keys_in(store.path, wells={"H9_1": "B2"})[0].well == "B2"
