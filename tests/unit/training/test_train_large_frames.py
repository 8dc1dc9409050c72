"""Measures of large frames are of a sample; what that changes is small beside a card's tolerances.

Cards of training frames and judged frames are measured by the same function. Frames of up to 640 px
are measured whole, so that cards of smaller frames keep their limits to the digit.
"""

from math import log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.planes import texture
from scopewatch.core.imaging.planes.texture import describe
from scopewatch_training.bundle.limits import _BY_FACTORS, TOLERANCES
from tests.unit.core.samples import make_cells, view_of

SIDE_PX = 2048
TEXTURE = tuple(name for name in TOLERANCES if name != "contrast")


def large_frame(seed: int) -> NDArray[np.float32]:
    """Return the view of a frame whose cells differ in sharpness and number from place to place."""
    rng = np.random.default_rng(seed)
    sharp, blurred = (make_cells(SIDE_PX, SIDE_PX, blur_px=blur, seed=seed) for blur in (0.5, 3.0))
    density, focus = (
        ndimage.zoom(rng.uniform(0, 1, (7, 7)), SIDE_PX / 7, order=1) for _ in range(2)
    )
    mixed = sharp * focus + blurred * (1 - focus)
    return view_of(np.rint(mixed * density + 4000 * (1 - density)).astype(np.uint16))


def tolerances_off(found: dict[str, float], expected: dict[str, float]) -> dict[str, float]:
    """Return how far measures are apart, in the tolerances by which a card's limits are widened."""
    apart = {
        name: log(found[name] / expected[name])
        if name in _BY_FACTORS
        else found[name] - expected[name]
        for name in TEXTURE
    }
    return {name: abs(off) / TOLERANCES[name] for name, off in apart.items()}


@pytest.mark.parametrize("seed", range(2))
def test_a_sample_measures_a_large_frame_within_a_third_of_every_tolerance(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    view = large_frame(seed)
    sample = describe(view)
    monkeypatch.setattr(texture, "CROPS_PER_SIDE", SIDE_PX // texture.CROP_PX)
    monkeypatch.setattr(texture, "BLOCK_ROWS", SIDE_PX // texture.BLOCK_PX)
    whole = describe(view)
    off = tolerances_off(sample, whole)
    assert max(off.values()) < 1 / 3, off
    assert sample["coverage"] == pytest.approx(whole["coverage"], abs=0.02)


@pytest.mark.parametrize("shape", [(512, 512), (640, 640), (600, 300)])
def test_a_frame_of_up_to_640_px_is_measured_whole(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    view = view_of(make_cells(*shape))
    measured = describe(view)
    monkeypatch.setattr(texture, "CROPS_PER_SIDE", 64)
    monkeypatch.setattr(texture, "BLOCK_ROWS", 640)
    assert describe(view) == measured
