"""Planes with their size before they are filled: the missing part is zeros."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.holes import LEAST_BYTES, find_hole, refuse_hole
from scopewatch.sources.readers.image_file import is_whole, read_plane
from scopewatch.sources.readers.planes import NotWrittenError
from tests.unit.sources.images import pixels

SIDE = 512
PLANE_BYTES = 2 * SIDE * SIDE


def frame(dtype: type = np.uint16) -> NDArray[Any]:
    values = pixels(SIDE, SIDE)
    return (values >> 4).astype(np.uint8) + 1 if dtype is np.uint8 else values


def test_a_frame_of_a_camera_has_no_hole() -> None:
    assert find_hole(frame().reshape(-1), SIDE) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("begin", "end"), [(0.0, 1.0), (0.5, 1.0), (0.98, 1.0), (0.4, 0.6)])
def test_zeros_on_end_are_a_hole(dtype: type, begin: float, end: float) -> None:
    image = frame(dtype).reshape(-1)
    first, behind = int(image.size * begin), int(image.size * end)
    image[first:behind] = 0
    hole = find_hole(image, SIDE)
    assert hole is not None
    assert (hole[0], hole[1]) == (first, behind)


def test_zeros_that_the_first_plane_of_a_file_begins_with_are_a_border() -> None:
    image = frame().reshape(-1)
    image[: image.size // 4] = 0
    assert find_hole(image, SIDE) is None
    # In a later plane they may be missing together with the end of the one before it.
    assert find_hole(image, SIDE, first=False) == (0, image.size // 4)
    # Another border of the same image is fine, too: black is ordinary in it.
    image[-image.size // 4 :] = 0
    assert find_hole(image, SIDE) is None


def test_several_holes_are_found_though_the_rest_is_small() -> None:
    image = frame().reshape(-1)
    for piece in range(5):
        image[piece * image.size // 5 + 1000 : (piece + 1) * image.size // 5] = 0
    assert find_hole(image, SIDE) == (1000, image.size // 5)


def test_a_few_black_pixels_and_rows_are_no_hole() -> None:
    image = frame()
    image[::50, ::50] = 0
    image[-3:] = 0
    assert image[-3:].nbytes < LEAST_BYTES
    refuse_hole(image, "a.tif")
    # A dead row, and a border left by shifting a frame by some rows.
    image = pixels(2048, 2048)
    image[700] = 0
    image[-20:] = 0
    refuse_hole(image, "a.tif")


def test_some_rows_in_the_middle_of_a_frame_are_a_hole_and_not_of_a_picture_with_black() -> None:
    image = frame()
    image[300:305] = 0
    with pytest.raises(NotWrittenError, match="got zeros from row 300 of 512 on, 2560 pixels"):
        refuse_hole(image, "a.tif")
    image[::50, ::50] = 0
    refuse_hole(image, "a.tif")


@pytest.mark.parametrize(("begin", "end"), [(0.5, 1.0), (0.9, 1.0), (0.4, 0.6), (0.5, 0.52)])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (500, 700)])
def test_a_hole_in_uncompressed_tiles_is_found(
    tmp_path: Path, begin: float, end: float, shape: tuple[int, int]
) -> None:
    path, image = tmp_path / "a.tif", pixels(*shape)
    tifffile.imwrite(path, image, tile=(128, 128), metadata=None)
    content = path.read_bytes()
    assert np.array_equal(read_plane(path).pixels, image)
    first, behind = int(len(content) * begin), int(len(content) * end)
    path.write_bytes(content[:first] + bytes(behind - first) + content[behind:])
    with pytest.raises(NotWrittenError, match="got zeros from some tile on"):
        read_plane(path)


def test_black_of_a_picture_in_which_black_is_ordinary_is_no_hole() -> None:
    # 8 bits, background subtracted: a quarter of the field is empty.
    image = frame(np.uint8)
    image[np.random.default_rng(0).random(image.shape) < 0.3] = 0
    image[-SIDE // 4 :] = 0
    refuse_hole(image, "a.tif")
    # A circular field.
    row, column = np.ogrid[:SIDE, :SIDE]
    image = frame(np.uint8)
    image[(row - SIDE / 2) ** 2 + (column - SIDE / 2) ** 2 > (SIDE / 2 - 20) ** 2] = 0
    refuse_hole(image, "a.tif")


def test_the_refusal_says_where_the_zeros_begin() -> None:
    image = frame()
    image[300:] = 0
    with pytest.raises(NotWrittenError) as caught:
        refuse_hole(image, "a.tif")
    assert str(caught.value) == (
        "image is not completely written: a.tif (got zeros from row 300 of 512 on, 108544 pixels on"
        " end); let the transfer or the writer finish, or write it again"
    )


# Codecs of tifffile, with options that make strips of several rows.
KINDS = [None, "lzw", "zlib", "packbits", "zstd"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("rows", [SIDE, 16])
@pytest.mark.parametrize("begin", [0.2, 0.5, 0.8, 0.98])
def test_a_file_that_is_not_filled_to_its_end_is_not_read(
    tmp_path: Path, kind: str | None, rows: int, begin: float
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frame(), compression=kind, rowsperstrip=rows, metadata=None)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0].aspage()
        start, end = page.dataoffsets[0], page.dataoffsets[-1] + page.databytecounts[-1]
    content = bytearray(path.read_bytes())
    hole = start + int((end - start) * begin)
    content[hole:end] = bytes(end - hole)
    whole = read_plane(path).pixels
    assert is_whole(path)
    path.write_bytes(content)
    with pytest.raises(FrameError):
        read_plane(path)
    assert not is_whole(path)
    assert np.array_equal(whole, frame())


@pytest.mark.parametrize("kind", ["lzw", "zlib", "packbits", "zstd"])
def test_a_strip_in_the_middle_that_is_missing_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frame(), compression=kind, rowsperstrip=16, metadata=None)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0].aspage()
        start, length = page.dataoffsets[7], page.databytecounts[7]
    content = bytearray(path.read_bytes())
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    with pytest.raises(NotWrittenError, match="got zeros in compressed strip 7"):
        read_plane(path)


@pytest.mark.parametrize("kind", ["lzw", "zlib", "packbits", "zstd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("rows", [SIDE, 16, 1])
def test_a_compressed_picture_that_is_black_is_read(
    tmp_path: Path, kind: str, dtype: type, rows: int
) -> None:
    path = tmp_path / "a.tif"
    for image in (np.zeros((SIDE, SIDE), dtype), np.tril(frame(dtype))):
        tifffile.imwrite(path, image, compression=kind, rowsperstrip=rows, metadata=None)
        assert np.array_equal(read_plane(path).pixels, image)
