"""Series that are created at their full size and written through a memory map."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import useq
from numpy.typing import NDArray

from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.planes import Contents, NotWrittenError
from scopewatch.sources.readers.tiff.blanks import holds_zeros_only
from scopewatch.sources.readers.tiff.chain import walk_directories
from tests.unit.sources.images import pixels

with warnings.catch_warnings():
    # The former writers, which ome-writers will drop.
    warnings.simplefilter("ignore", FutureWarning)
    from pymmcore_plus.mda.handlers import OMETiffWriter

SHAPE = (64, 80)


def image(seed: int) -> NDArray[np.uint16]:
    return pixels(*SHAPE, seed=seed)


def mapped(path: Path, axes: str, *sizes: int, **options: Any) -> np.memmap[Any, Any]:
    """Make a file of zeros as tifffile does, and return its mapping."""
    options = {"photometric": "minisblack", "metadata": {"axes": f"{axes}YX"}, **options}
    made = tifffile.memmap(path, shape=(*sizes, *SHAPE), dtype="uint16", **options)
    assert isinstance(made, np.memmap)
    return made


KINDS: dict[str, dict[str, Any]] = {
    "shaped": {},
    "ome": {"ome": True},
    "imagej": {"imagej": True, "photometric": None},
    "one directory": {"truncate": True},
}


def pages(contents: Contents) -> list[int]:
    return [plane.page for plane in contents.planes]


@pytest.mark.parametrize("kind", KINDS)
def test_planes_behind_the_last_that_is_written_are_awaited(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tif"
    series = mapped(path, "T", 5, **KINDS[kind])
    size = path.stat().st_size
    for time in range(5):
        contents = list_planes(path)
        assert pages(contents) == list(range(time))
        assert contents.awaited == 5 - time
        assert contents.unfinished == f"{5 - time} of 5 planes are not written yet"
        assert not contents.cut_off
        series[time] = image(time)
        series.flush()
    assert path.stat().st_size == size
    contents = list_planes(path)
    assert (pages(contents), contents.unfinished, contents.awaited) == ([0, 1, 2, 3, 4], None, 0)
    assert all(np.array_equal(read_plane(path, time).pixels, image(time)) for time in range(5))


def test_a_plane_that_was_left_out_is_not_awaited_and_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    series = mapped(path, "T", 5)
    series[0], series[2] = image(0), image(2)
    series.flush()
    contents = list_planes(path)
    assert pages(contents) == [0, 1, 2]
    with pytest.raises(NotWrittenError, match=r"a\.tif page 1 \(got zeros from row 0 of 64 on"):
        read_plane(path, 1)


@pytest.mark.parametrize("axes", ["TC", "CT"])
def test_each_channel_is_awaited_by_itself(tmp_path: Path, axes: str) -> None:
    sizes = {"T": 3, "C": 2}
    path = tmp_path / "a.tif"
    series = mapped(path, axes, *(sizes[axis] for axis in axes))
    places = []
    for time in range(2):
        for channel in range(2):
            at = (time, channel) if axes == "TC" else (channel, time)
            series[at] = image(10 * time + channel)
            series.flush()
            places.append((time, f"channel{channel}"))
            found = [plane.facts for plane in list_planes(path).planes]
            assert sorted((each.time_point, each.channel) for each in found) == sorted(places)


def test_a_plane_with_black_edges_is_a_plane(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    large = (128, 4096)
    series = tifffile.memmap(
        path, shape=(4, *large), dtype="uint8", metadata={"axes": "TYX"}, photometric="minisblack"
    )
    for time in range(2):
        series[time, 1:-1] = 7 + time
        series.flush()
        assert pages(list_planes(path)) == list(range(time + 1))


def test_what_a_file_skips_is_not_read_to_see_that_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    mapped(path, "T", 2)[1, -1, -1] = 9
    with path.open("rb") as file:
        directories = walk_directories(file, path.stat().st_size, path, 10).directories
    assert [holds_zeros_only(path, each) for each in directories] == [True, False]


def test_the_mapped_files_of_pymmcore_plus_are_read_as_they_fill(tmp_path: Path) -> None:
    plan = useq.MDASequence.model_validate(
        {
            "channels": ["Phase", "GFP"],
            "time_plan": {"interval": 7200, "loops": 3},
            "axis_order": "tc",
        }
    )
    path = tmp_path / "plate.ome.tif"
    writer = OMETiffWriter(path)
    writer.sequenceStarted(plan, {})
    metadata: Any = {}
    for number, event in enumerate(plan):
        writer.frameReady(image(number), event, metadata)
        contents = list_planes(path)
        assert [(each.facts.time_point, each.facts.channel) for each in contents.planes] == [
            (time, channel) for time in range(3) for channel in ("Phase", "GFP")
        ][: number + 1]
        assert contents.awaited == 5 - number
        assert np.array_equal(read_plane(path, number).pixels, image(number))
    assert [each.facts.elapsed_s for each in contents.planes] == [0, 0, 7200, 7200, 14400, 14400]
