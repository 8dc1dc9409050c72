import json
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.errors import FrameError
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.file import read_pixels
from scopewatch.sources.ndtiff.pyramid import is_data_set
from scopewatch.sources.ndtiff.sighting import Sighting
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits
from tests.unit.sources.images import pixels
from tests.unit.sources.ndtiff.test_ndtiff_index import entry
from tests.unit.sources.ndtiffs import SUMMARY, Writer, write_data_set, writing


def follow(folder: Path, patience_s: float = 60, limits: ReadLimits = DEFAULT_LIMITS) -> DataSet:
    return DataSet(folder, limits, patience_s)


def times(sightings: Sequence[Sighting]) -> list[object]:
    return [sighting.axes.get("time") for sighting in sightings]


def test_images_are_seen_as_they_are_written_though_the_index_lags(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        writer.add(0)
        data_set = follow(writer.path)
        assert writer.tiff.stat().st_size == 4 * 2**30
        assert (writer.path / "NDTiff.index").stat().st_size == 0
        assert times(data_set.look(0)) == [0]
        assert data_set.look(1) == []
        writer.add(1)
        writer.add(2)
        (first, second) = data_set.look(2)
        assert times([first, second]) == [1, 2]
        assert first.summary == SUMMARY
        assert first.image is not None
        found = read_pixels(writer.tiff, first.image.block, DEFAULT_LIMITS)
        assert np.array_equal(found, pixels(seed=1))
    assert data_set.look(3) == []
    assert data_set.waiting == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_of_both_depths_are_read(tmp_path: Path, dtype: type[np.generic]) -> None:
    image = (pixels() % 200).astype(dtype)
    with writing(tmp_path) as writer:
        writer.add(0, image=image)
        (sighting,) = follow(writer.path).look(0)
        assert sighting.image is not None
        found = read_pixels(writer.tiff, sighting.image.block, DEFAULT_LIMITS)
    assert found.dtype == image.dtype
    assert np.array_equal(found, image)


def test_an_image_is_seen_only_when_every_byte_of_it_is_there(tmp_path: Path) -> None:
    whole = write_data_set(tmp_path / "whole", times=2)
    (tiff,) = whole.glob("*.tif")
    content = tiff.read_bytes()
    ends = [
        sighting.image.block.end for sighting in follow(whole).look(0) if sighting.image is not None
    ]
    growing = tmp_path / "growing"
    growing.mkdir()
    data_set = follow(growing)
    seen = 0
    for end in [*range(0, len(content), 61), len(content)]:
        # Preallocated: what is not written yet reads as zeros.
        (growing / tiff.name).write_bytes(content[:end].ljust(len(content) + 5000, b"\0"))
        seen += len(data_set.look(end))
        assert seen == sum(image_end <= end for image_end in ends)
    assert seen == 2


def test_metadata_in_front_of_the_pixels_proves_nothing_so_the_next_image_must_have_begun(
    tmp_path: Path,
) -> None:
    tags, image = json.dumps({"Axes": {"time": 0}}).encode(), pixels()
    summary = json.dumps(SUMMARY).encode()
    first = 28 + len(summary) + len(summary) % 2
    text_at = first + 2 + 10 * 12 + 4
    pixels_at = text_at + len(tags)
    following = pixels_at + image.nbytes + pixels_at % 2
    fields = [
        *((256, 4, 1, 32), (257, 4, 1, 24), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)),
        *((273, 4, 1, pixels_at), (277, 3, 1, 1), (278, 4, 1, 24), (279, 4, 1, image.nbytes)),
        (51123, 2, len(tags), text_at),
    ]
    head = struct.pack("<2sH6I", b"II", 42, first, 483729, 3, 3, 2355492, len(summary))
    directory = struct.pack("<H", 10) + b"".join(struct.pack("<HHII", *each) for each in fields)
    content = (head + summary).ljust(first, b"\0") + directory + struct.pack("<I", following) + tags
    path = tmp_path / "x_NDTiffStack.tif"
    path.write_bytes(content.ljust(50_000, b"\0"))
    data_set = follow(tmp_path)
    assert data_set.look(0) == []
    whole = (content + image.tobytes()).ljust(following, b"\0")
    path.write_bytes((whole + struct.pack("<H", 10)).ljust(50_000, b"\0"))
    assert times(data_set.look(1)) == [0]


def test_an_empty_tiff_and_a_damaged_one_do_not_stop_the_others(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=2)
    (folder / "a_NDTiffStack.tif").touch()
    (folder / "b_NDTiffStack.tif").write_bytes(b"II*\0" + bytes(200))
    (folder / "c_NDTiffStack.tif").write_bytes(b"this is text")
    data_set = follow(folder)
    assert times(data_set.look(0)) == [0, 1]
    assert data_set.trouble is not None
    assert "c_NDTiffStack.tif" in data_set.trouble


def test_an_index_without_its_tiff_is_reported_after_a_while_and_once(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=3)
    (tiff,) = folder.glob("*.tif")
    moved = tiff.rename(tmp_path / "moved")
    data_set = follow(folder, patience_s=60)
    assert data_set.look(0) == []
    assert data_set.look(59) == []
    (missing,) = data_set.look(60)
    assert missing.reason == (
        f"images of the index have no pixels: {folder.name} (expected 3 images in {tiff.name},"
        " got a file that is missing); copy the whole data set"
    )
    assert missing.image is None
    assert data_set.look(1000) == []
    moved.rename(tiff)
    assert times(data_set.look(1001)) == [0, 1, 2]


def test_the_index_shows_where_a_damaged_chain_ends(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=4)
    (tiff,) = folder.glob("*.tif")
    second = follow(folder).look(0)[1].image
    assert second is not None
    content = bytearray(tiff.read_bytes())
    # The directory is right before its pixels: 2 + 13 * 12 + 4 + 16 bytes.
    start = second.block.start - 178
    struct.pack_into("<I", content, start + 2 + 13 * 12, 8)
    tiff.write_bytes(content)
    data_set = follow(folder)
    assert sorted(map(str, times(data_set.look(0)))) == ["0", "1", "2", "3"]
    assert data_set.trouble is not None
    assert "leads back" in data_set.trouble


def test_an_offset_beyond_a_finished_file_is_reported(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=1)
    (tiff,) = folder.glob("*.tif")
    wild = entry({"time": 7}, tiff.name, (2**32 - 8, 32, 24, 1, 0, 10, 10, 0))
    with (folder / "NDTiff.index").open("ab") as index:
        index.write(wild)
    (bad, good) = sorted(follow(folder).look(0), key=lambda each: -each.axes["time"])
    assert "it lies beyond the end of" in bad.reason
    assert good.image is not None


def test_a_name_that_leads_out_of_the_data_set_is_reported_and_not_opened(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=1)
    with (folder / "NDTiff.index").open("ab") as index:
        index.write(entry({"time": 7}, "../secret.tif"))
    (bad,) = [each for each in follow(folder).look(0) if each.reason]
    assert "leads out of the data set" in bad.reason
    assert bad.image is None


def test_images_without_axes_wait_for_the_index(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        writer.add(5, tags={"Axes": None})
        data_set = follow(writer.path)
        assert data_set.look(0) == []
        assert data_set.waiting == 1
    assert times(data_set.look(1)) == [5]
    assert data_set.waiting == 0


def test_a_long_data_set_is_read_in_pieces(tmp_path: Path) -> None:
    image = pixels(2, 2)
    with writing(tmp_path) as writer:
        for time in range(2300):
            writer.add(time, image=image)
    data_set = follow(writer.path)
    pieces = []
    while sightings := data_set.look(0):
        pieces.append(times(sightings))
    assert len(pieces) == 3
    assert [time for piece in pieces for time in piece] == list(range(2300))


def test_a_data_set_with_more_images_than_allowed_says_so(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=5)
    (folder / "NDTiff.index").unlink()
    data_set = follow(folder, limits=ReadLimits(max_planes=3))
    assert times(data_set.look(0)) == [0, 1, 2]
    assert data_set.trouble is not None
    assert "has more than 3 images" in data_set.trouble


def test_a_data_set_is_known_by_its_files(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path)
    assert is_data_set(folder)
    assert not is_data_set(tmp_path)
    assert not is_data_set(tmp_path / "gone")
    (folder / "NDTiff.index").unlink()
    assert is_data_set(folder)


def test_a_vanished_data_set_is_an_error_of_the_file_system(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path)
    data_set = follow(folder)
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError):
        data_set.look(0)


def test_pixels_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path)
    (tiff,) = folder.glob("*.tif")
    image = follow(folder).look(0)[2].image
    assert image is not None
    tiff.write_bytes(tiff.read_bytes()[: image.block.start + 10])
    with pytest.raises(FrameError, match=r"image of the data set is cut off: .*got 10\)"):
        read_pixels(tiff, image.block, DEFAULT_LIMITS)


def test_a_data_set_that_was_never_closed_still_yields_its_images(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for time in range(3):
        writer.add(time)
    left_behind = tmp_path / "left_1"
    left_behind.mkdir()
    with writer.tiff.open("rb") as tiff:
        (left_behind / writer.tiff.name).write_bytes(tiff.read(20_000))
    writer.finish()
    assert times(follow(left_behind).look(0)) == [0, 1, 2]


def test_an_index_that_misplaces_the_pixels_of_an_image_does_not_offer_it_twice(
    tmp_path: Path,
) -> None:
    folder = write_data_set(tmp_path, times=3)
    index = folder / "NDTiff.index"
    content = bytearray(index.read_bytes())
    # The lowest byte of the pixel offset in the first entry: after its axes and its file name.
    content[content.index(b"NDTiffStack.tif") + len("NDTiffStack.tif")] ^= 1
    index.write_bytes(content)
    assert times(follow(folder, patience_s=0).look(0)) == [0, 1, 2]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["NDTiff.index", "HES7_NDTiffStack.tif"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_data_set_is_followed_as_far_as_it_goes(
    tmp_path: Path, file: str, damage: list[tuple[float, int]]
) -> None:
    folder = tmp_path / "HES7_1"
    if not folder.exists():
        write_data_set(tmp_path, times=3)
        shutil.copytree(folder, tmp_path / "whole")
    content = bytearray((tmp_path / "whole" / file).read_bytes())
    for place, value in damage:
        content[min(int(place * len(content)), len(content) - 1)] = value
    (folder / file).write_bytes(content)
    data_set = follow(folder, patience_s=0)
    seen = [sighting for now_s in range(4) for sighting in data_set.look(now_s)]
    assert len([sighting for sighting in seen if sighting.image is not None]) <= 3
    shutil.copy(tmp_path / "whole" / file, folder / file)


def test_a_directory_with_absurd_numbers_is_passed_over(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path, times=2)
    (tiff,) = folder.glob("*.tif")
    image = follow(folder).look(0)[0].image
    assert image is not None
    content = bytearray(tiff.read_bytes())
    # SamplesPerPixel of the first directory: its seventh entry.
    struct.pack_into("<I", content, image.block.start - 178 + 2 + 6 * 12 + 8, 0)
    tiff.write_bytes(content)
    assert times(follow(folder).look(0)) == [0, 1]
