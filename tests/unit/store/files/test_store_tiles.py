import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.store.files.tiles import pack, unpack

GRID = TileGrid(height=70, width=50, tile_px=16)


@given(
    steps=arrays(np.uint8, GRID.shape, elements=st.integers(0, 255)),
    valid=arrays(np.bool_, GRID.shape),
)
def test_scores_of_an_int8_model_come_back_exactly(steps: np.ndarray, valid: np.ndarray) -> None:
    probability = (steps / np.float32(256)).astype(np.float32)
    scores = TileScores(grid=GRID, probability=probability, valid=valid)
    back = unpack(GRID, *pack(scores))
    np.testing.assert_array_equal(back.probability, probability)
    np.testing.assert_array_equal(back.valid, valid)


def test_any_other_probability_comes_back_to_half_a_thousandth() -> None:
    probability = np.linspace(0, 1, 20, dtype=np.float32).reshape(GRID.shape)
    scores = TileScores(grid=GRID, probability=probability, valid=GRID.whole())
    back = unpack(GRID, *pack(scores))
    np.testing.assert_allclose(back.probability, probability, atol=0.0005)


def test_a_large_frame_takes_a_few_kilobytes() -> None:
    grid = TileGrid(height=2048, width=2048, tile_px=32)
    steps = np.random.default_rng(1).integers(0, 256, grid.shape)
    scores = TileScores(grid=grid, probability=(steps / 256).astype(np.float32), valid=grid.whole())
    assert sum(len(part) for part in pack(scores)) < 9000


@pytest.mark.parametrize(
    "probability",
    [b"", b"no zlib", zlib.compress(bytes(38)), zlib.compress(bytes(10_000_000))],
    ids=["empty", "garbage", "too short", "a bomb"],
)
def test_damaged_scores_are_reported(probability: bytes) -> None:
    with pytest.raises(StoreError, match=r"stored tile scores are damaged: .*expected 5 x 4"):
        unpack(GRID, probability, bytes(3))


def test_a_valid_mask_of_another_size_is_reported() -> None:
    probability, _ = pack(
        TileScores(grid=GRID, probability=np.zeros(GRID.shape, np.float32), valid=GRID.whole())
    )
    with pytest.raises(StoreError, match="stored tile scores are damaged"):
        unpack(GRID, probability, bytes(4))
