"""Channel, moment and scale in the metadata of OME-Zarr images, in any order of axes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from tests.unit.sources.images import RUN, pixels
from tests.unit.sources.zarr_looks import NOW, found_in, keys_in, reading_in
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, omezarr_config


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
        omezarr_config(tmp_path, z=2 if "z" in axes else None), RUN, DEFAULT_LIMITS, NOW
    )
    (sighting,) = stores.open(store.path).look(0.0, full=True)
    found = stores.found("HES7.zarr", sighting)
    assert found.key is not None, found.reason
    assert found.key.time_point == at.get("t", 0)
    assert found.key.channel == "phase"
    assert found.reading is not None
    assert found.reading.pixel_size_um == 0.65


def test_axes_may_be_named_by_capitals_as_iohub_does(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    image = store.image(axes="tczyx", channels=("GFP", "phase"), size={"t": 3, "c": 2, "z": 1})
    plane = pixels(HEIGHT, WIDTH, seed=4)
    image.put(plane, t=2, c=1, z=0)
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    for axis in document["attributes"]["ome"]["multiscales"][0]["axes"]:
        axis["name"] = axis["name"].upper()
    path.write_text(json.dumps(document))
    (found,) = found_in(tmp_path)
    assert found.key is not None, found.reason
    assert (found.key.time_point, found.key.channel) == (2, "phase")
    assert found.reading is not None
    assert found.reading.pixel_size_um == 0.65


@pytest.mark.parametrize("axes", AXES)
def test_a_plane_is_read_the_right_way_up_for_every_order_of_axes(
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
