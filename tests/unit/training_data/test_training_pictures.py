"""Pictures that a manifest names within a file: by page, from 0, or by the name of a channel."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from scopewatch_training.dataset.pictures import PictureRef, read_picture

PLANES = np.arange(2 * 64 * 64, dtype=np.uint16).reshape(2, 64, 64)


@pytest.fixture
def named(tmp_path: Path) -> Path:
    tifffile.imwrite(
        tmp_path / "two.ome.tif",
        PLANES,
        ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["Phase", "GFP"]}},
    )
    return tmp_path


@pytest.fixture
def composite(tmp_path: Path) -> Path:
    metadata = {"axes": "CYX", "mode": "composite"}
    tifffile.imwrite(tmp_path / "two.tif", PLANES, imagej=True, metadata=metadata)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "plane"),
    [
        ("two.ome.tif#page=0", 0),
        ("two.ome.tif#page=1", 1),
        ("two.ome.tif#channel=GFP", 1),
        ("two.ome.tif#channel=phase", 0),
    ],
)
def test_a_page_counts_from_0_and_a_channel_is_found_by_its_name(
    named: Path, text: str, plane: int
) -> None:
    picture = read_picture(PictureRef.parse(named, text))
    assert np.array_equal(picture.pixels, PLANES[plane])


def test_a_file_of_several_pictures_is_refused_where_none_is_named(
    named: Path, composite: Path
) -> None:
    for path, words in (
        (named / "two.ome.tif", "behind its path, or #channel=Phase, got 2 pictures of Phase, GFP"),
        (composite / "two.tif", "behind its path, or #channel=channel0, got 2 pictures"),
    ):
        with pytest.raises(FrameError) as caught:
            read_picture(PictureRef(path=path))
        assert str(caught.value).startswith(
            f"file holds several pictures, and the table names none of them: {path}"
            f" (expected #page=0 to #page=1 {words}"
        )


def test_a_thumbnail_is_no_second_picture(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(PLANES[0])
        file.write(PLANES[0][::2, ::2])
    assert np.array_equal(read_picture(PictureRef(path=tmp_path / "a.tif")).pixels, PLANES[0])


@pytest.mark.parametrize("subfiletype", [0, 1], ids=["a page", "called reduced"])
def test_a_thumbnail_before_the_picture_is_not_taken_for_it(
    tmp_path: Path, subfiletype: int
) -> None:
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    with tifffile.TiffWriter(tmp_path / "f.tif") as file:
        small = np.repeat((pixels[::8, ::8] // 256).astype(np.uint8)[..., None], 3, axis=2)
        file.write(small, photometric="rgb", subfiletype=subfiletype, metadata=None)
        file.write(pixels, metadata=None)
    assert np.array_equal(read_picture(PictureRef(path=tmp_path / "f.tif")).pixels, pixels)


def test_pages_of_an_imagej_composite_are_read(composite: Path) -> None:
    picture = read_picture(PictureRef.parse(composite, "two.tif#page=1"))
    assert np.array_equal(picture.pixels, PLANES[1])


def test_a_page_beyond_the_last_says_which_there_are(composite: Path) -> None:
    with pytest.raises(FrameError) as caught:
        read_picture(PictureRef.parse(composite, "two.tif#page=2"))
    assert str(caught.value) == (
        f"file has no such page: {composite / 'two.tif'}#page=2"
        " (expected #page=0 to #page=1, counted from 0); correct the number"
    )


def test_a_channel_that_is_not_there_says_which_are(named: Path) -> None:
    with pytest.raises(FrameError) as caught:
        read_picture(PictureRef.parse(named, "two.ome.tif#channel=YFP"))
    assert "(expected Phase, GFP); name the page, #page=0 to #page=1" in str(caught.value)
