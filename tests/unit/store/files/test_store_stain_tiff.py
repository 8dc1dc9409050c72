"""The stain is an ordinary deflate-compressed TIFF, though its rows are compressed once."""

import io
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scopewatch.core.imaging.overlay import stain_plane
from scopewatch.core.imaging.tiling import SquareScores, TileGrid, TileScores
from scopewatch.store.files.stain_tiff import deflate_rows, encode_stain


def scores_of(grid: TileGrid) -> TileScores:
    probability = np.random.default_rng(1).random(grid.shape, dtype=np.float32)
    return TileScores(grid=grid, probability=probability, valid=grid.whole())


@given(data=st.data(), width=st.integers(1, 300))
def test_repeated_rows_inflate_to_all_their_rows(data: st.DataObject, width: int) -> None:
    row = st.tuples(st.binary(min_size=width, max_size=width), st.integers(1, 40))
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    # Inflating also compares the checksum.
    assert zlib.decompress(deflate_rows(rows)) == b"".join(row * times for row, times in rows)


def test_the_checksum_holds_for_the_largest_values_and_rows() -> None:
    rows = [(b"\xff" * 8192, 32), (b"\xfe" * 8192, 1), (b"\xff" * 8192, 32)]
    assert zlib.decompress(deflate_rows(rows)) == b"".join(row * times for row, times in rows)


def test_rows_that_begin_with_the_last_value_before_them_are_kept_apart() -> None:
    rows = [(b"\x01" * 60 + b"\x02" * 4, 3), (b"\x02" * 64, 2), (b"\x02" * 8 + b"\x03" * 56, 4)]
    assert zlib.decompress(deflate_rows(rows)) == b"".join(row * times for row, times in rows)


@pytest.mark.parametrize("width", [1, 2, 3, 258, 259, 260, 261, 1024, 2048, 2065, 8192])
def test_rows_of_any_width_and_content_are_repeated(width: int) -> None:
    for seed in range(3):
        row = np.random.default_rng(seed).bytes(width)
        assert zlib.decompress(deflate_rows([(row, 32)])) == row * 32
    flat = np.arange(width).astype(np.uint8)[: -(-width // 32)].repeat(32)[:width].tobytes()
    assert zlib.decompress(deflate_rows([(flat, 32)])) == flat * 32


def test_a_repeated_row_takes_a_few_bytes() -> None:
    row = np.random.default_rng(1).bytes(2048)
    assert len(deflate_rows([(row, 32)])) - len(deflate_rows([(row, 1)])) < 31 * 40


@pytest.mark.parametrize(("height", "width"), [(400, 420), (64, 64), (97, 130), (2048, 2048)])
def test_other_readers_read_the_stain(height: int, width: int) -> None:
    scores = scores_of(TileGrid(height=height, width=width, tile_px=32))
    encoded = encode_stain(scores, {"Name": "a stain"})
    with tifffile.TiffFile(io.BytesIO(encoded)) as tiff:
        assert tiff.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        np.testing.assert_array_equal(tiff.asarray(), stain_plane(scores))
    with Image.open(io.BytesIO(encoded)) as image:  # by libtiff
        np.testing.assert_array_equal(np.asarray(image), stain_plane(scores))


@pytest.mark.parametrize(("height", "width"), [(400, 420), (97, 130)])
def test_other_readers_read_the_finer_stain(height: int, width: int) -> None:
    scores = scores_of(TileGrid(height=height, width=width, tile_px=32))
    grid = TileGrid(height=height, width=width, tile_px=8)
    share = np.random.default_rng(3).random(grid.shape, dtype=np.float32)
    squares = SquareScores(grid=grid, share=share)
    encoded = encode_stain(scores, {"Name": "a finer stain"}, squares)
    with tifffile.TiffFile(io.BytesIO(encoded)) as tiff:
        np.testing.assert_array_equal(tiff.asarray(), stain_plane(scores, squares))
    with Image.open(io.BytesIO(encoded)) as image:  # by libtiff
        np.testing.assert_array_equal(np.asarray(image), stain_plane(scores, squares))


def test_the_stain_is_small() -> None:
    scores = scores_of(TileGrid(height=2048, width=2048, tile_px=32))
    assert len(encode_stain(scores, {})) < 150_000
