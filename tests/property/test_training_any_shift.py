"""A known shift is found in any direction, and undone where the frames overlap."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch_training.dataset.pairs.registration import register
from scopewatch_training.dataset.pairs.shift import shift_plane
from tests.unit.training_data.pair_files import make_field

SHIFTS = st.floats(-12, 12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), SHIFTS, SHIFTS)
def test_any_shift_is_found(seed: int, down: float, right: float) -> None:
    field = make_field(seed, shift=(down, right))
    view = normalise(field.phase, NormaliseSpec())
    glow = np.arcsinh(np.maximum(field.fluorescence - 140, 0) / 100).astype(np.float32)
    found = register(view, glow, 20)
    assert np.abs(np.subtract(found.offset_px, (down, right))).max() < 0.4
    assert found.confidence > 0.5


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_whole_shifts_move_pixels_without_changing_them(down: int, right: int) -> None:
    plane = np.arange(400, dtype=np.float32).reshape(20, 20)
    back = shift_plane(plane, (float(down), float(right)))
    known = np.isfinite(back)
    assert known.sum() == (20 - abs(down)) * (20 - abs(right))
    rows, cols = np.nonzero(known)
    assert np.allclose(back[known], plane[rows + down, cols + right])
