"""Resolution pyramids, and data sets of other versions of NDTiff."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ndstorage import Dataset
from numpy.typing import NDArray

from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from tests.conftest import FakeClock
from tests.unit.sources.images import pixels
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import SUMMARY, write_data_set
from tests.unit.sources.old_ndtiffs import write_version_1, write_version_2
from tests.unit.sources.scenes import making


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def write_pyramid(folder: Path, *levels: str) -> Path:
    """Write a data set of two images for each level, as Micro-Magellan lays them out."""
    for level in levels:
        written = write_data_set(folder.parent / "writing", times=2, name=folder.name)
        shutil.move(written, folder / level)
    return folder


LEVELS = ("Full resolution", "Downsampled_x2", "Downsampled_x4")


def test_of_a_pyramid_the_full_resolution_is_followed_as_the_data_set(
    tmp_path: Path, make: Make
) -> None:
    write_pyramid(tmp_path / "HES7_1", *LEVELS)
    write_pyramid(tmp_path / "2026-03-02" / "HES7_1", *LEVELS)
    scene = make().start()
    assert sorted(scene.inbox.keys) == [
        f"{run}/plate/A1/s0/t000{time}/phase"
        for run in ("HES7 2026-03-02", "HES7")
        for time in (0, 1)
    ]
    assert scene.inbox.refusals == []
    first = scene.inbox.ticket("HES7/plate/A1/s0/t0001/phase")
    assert first.locator.startswith("HES7_1/Full resolution/HES7_1_NDTiffStack.tif#at=")
    assert np.array_equal(scene.source.load(first).pixels, pixels(seed=1))


@pytest.mark.parametrize("below", ["", "Full resolution"])
def test_the_path_of_a_source_may_be_a_pyramid_or_its_full_resolution(
    tmp_path: Path, make: Make, below: str
) -> None:
    write_pyramid(tmp_path / "trial", *LEVELS)
    scene = make(tmp_path / "trial" / below).start()
    assert scene.inbox.keys == [f"HES7/plate/A1/s0/t000{time}/phase" for time in (0, 1)]
    assert scene.source.load(scene.inbox.tickets[0]).pixels.shape == (24, 32)


def test_a_coarser_copy_without_its_original_is_refused_and_not_scored(
    tmp_path: Path, make: Make
) -> None:
    write_pyramid(tmp_path / "HES7_1", "Downsampled_x2")
    scene = make().start()
    assert scene.inbox.tickets == []
    (reason,) = scene.inbox.reasons
    assert reason.startswith("data set is a coarser copy of another one: ")
    assert "got Downsampled_x2); copy the folder 'Full resolution' beside it" in reason
    assert scene.source.health().ended


def images(times: int) -> list[tuple[dict[str, object], NDArray[np.uint16], dict[str, object]]]:
    return [
        (
            {"position": number, "time": time, "channel": 0},
            pixels(seed=10 * number + time),
            {"PositionName": label, "Time": f"2021-03-01 09:0{time}:00 +0000", "Channel": "phase"},
        )
        for time in range(times)
        for number, label in enumerate(("A1-Site_0", "B2-Site_1"))
    ]


def test_ndtiff_2_is_read_as_its_own_reader_reads_it(tmp_path: Path, make: Make) -> None:
    written = images(2)
    write_version_2(tmp_path / "HES7_1", written, SUMMARY)
    scene = make().start()
    assert scene.inbox.keys == [
        f"HES7/plate/{place}/t000{time}/phase" for time in (0, 1) for place in ("A1/s0", "B2/s1")
    ]
    reader = Dataset(str(tmp_path / "HES7_1"))
    try:
        assert type(reader).__name__ == "NDTiff_v2_0"
        for ticket, (axes, image, tags) in zip(scene.inbox.tickets, written, strict=True):
            frame = scene.source.load(ticket)
            assert np.array_equal(frame.pixels, image)
            assert np.array_equal(reader.read_image(**axes), image)
            assert reader.read_metadata(**axes) == {"Axes": axes, **tags}
            assert frame.pixel_size_um == SUMMARY["PixelSize_um"]
    finally:
        reader.close()
    assert scene.source.health().ended


@pytest.mark.parametrize("stack", ["NDTiffStack", "MagellanStack"])
def test_ndtiff_1_is_refused_by_its_version(tmp_path: Path, make: Make, stack: str) -> None:
    level = write_version_1(tmp_path / "HES7_1", pixels(), stack)
    reader = Dataset(str(tmp_path / "HES7_1"))
    assert np.array_equal(reader.read_image(), pixels()), "its own reader reads it"
    for each in reader.res_levels.values():  # its own close() raises
        each.close()
    scene = make().start()
    assert scene.inbox.tickets == []
    path = level / f"HES7_1_{stack}.tif"
    assert scene.inbox.reasons == [
        f"data set is of a version of NDTiff that cannot be read: {path} (expected NDTiff 2 or 3,"
        " got NDTiff 1); open it in Micro-Manager and save it as separate image files"
    ]
    assert scene.source.health().ended
    scene.later(60)
    assert len(scene.inbox.reasons) == 1


def test_a_version_of_the_future_is_refused_and_what_replaces_it_is_read(
    tmp_path: Path, make: Make
) -> None:
    folder = write_data_set(tmp_path)
    (stack,) = folder.glob("*.tif")
    good = stack.read_bytes()
    stack.write_bytes(good[:12] + b"\x04" + good[13:])
    scene = make().start()
    (reason,) = scene.inbox.reasons
    assert "(expected NDTiff 2 or 3, got NDTiff 4)" in reason
    assert scene.inbox.tickets == []
    stack.write_bytes(good + b"\0\0")
    scene.later(1)
    assert len(scene.inbox.tickets) == 3


def test_a_first_stack_of_micro_magellan_has_no_version(tmp_path: Path) -> None:
    level = write_version_1(tmp_path / "HES7_1", pixels(), "MagellanStack")
    (stack,) = level.glob("*.tif")
    data = stack.read_bytes()
    stack.write_bytes(data[:24] + bytes(8) + data[32:])
    (sighting,) = DataSet(level, DEFAULT_LIMITS, 0).look(0)
    assert "got NDTiff before 1)" in sighting.reason
