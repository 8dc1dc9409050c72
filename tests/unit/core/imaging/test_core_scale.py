"""The model's scale: kept, made, or out of reach; never guessed."""

import numpy as np
import pytest

from scopewatch.core.imaging.scale import plan_scale, resample, resampled_shape
from tests.unit.core.samples import make_card, make_cells


@pytest.mark.parametrize(("frame_um", "card_um"), [(None, 1.0), (1.0, None), (None, None)])
def test_where_nothing_says_the_scale_nothing_is_checked(
    frame_um: float | None, card_um: float | None
) -> None:
    plan = plan_scale(frame_um, make_card(um_per_px=card_um))
    assert (plan.resample_by, plan.checked, plan.refusal) == (1.0, False, "")


@pytest.mark.parametrize("size_um", [0.96, 1.0, 1.04])
def test_a_frame_within_tolerance_stays_as_it_is(size_um: float) -> None:
    plan = plan_scale(size_um, make_card())
    assert (plan.resample_by, plan.checked, plan.refusal) == (1.0, True, "")


@pytest.mark.parametrize(("size_um", "factor"), [(0.5, 0.5), (0.9, 0.9), (1.1, 1.1), (2.0, 2.0)])
def test_a_frame_within_reach_is_resampled_to_the_models_pixels(
    size_um: float, factor: float
) -> None:
    plan = plan_scale(size_um, make_card())
    assert plan.resample_by == pytest.approx(factor)
    assert plan.refusal == ""


@pytest.mark.parametrize("size_um", [0.45, 2.2, 40.0])
def test_a_frame_out_of_reach_is_refused_with_both_scales(size_um: float) -> None:
    plan = plan_scale(size_um, make_card())
    assert plan.refusal.startswith(
        f"frame is at the wrong scale: model sample (expected 0.5 to 2 um/px, got {size_um:.4g}"
    )
    assert "pixel size calibration" in plan.refusal


@pytest.mark.parametrize(("factor", "shape"), [(0.51, (51, 31)), (1.5, (150, 92)), (0.001, (1, 1))])
def test_the_new_shape_is_rounded_and_never_empty(factor: float, shape: tuple[int, int]) -> None:
    assert resampled_shape((100, 61), factor) == shape
    assert resample(np.ones((100, 61), dtype=np.uint8), factor).shape == shape


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.4, 2.0])
def test_resampling_keeps_brightness_and_range(factor: float) -> None:
    pixels = make_cells()
    made = resample(pixels, factor)
    assert made.dtype == np.float32
    assert made.mean() == pytest.approx(pixels.mean(), rel=0.005)
    assert made.min() >= pixels.min()
    assert made.max() <= pixels.max()


def test_resampling_puts_things_where_they_belong() -> None:
    pixels = np.zeros((100, 100), dtype=np.uint8)
    pixels[20:30, 60:70] = 200
    made = resample(pixels, 2.0)
    rows, cols = np.nonzero(made > 100)
    assert (rows.mean() + 0.5, cols.mean() + 0.5) == pytest.approx((50, 130), abs=0.1)


def test_detail_finer_than_the_new_pixels_is_averaged_and_not_folded() -> None:
    stripes = np.zeros((128, 128), dtype=np.uint8)
    stripes[:, ::2] = 200
    made = resample(stripes, 0.55)
    assert made[:, 4:-4].std() < 3
    assert made.mean() == pytest.approx(100, abs=1)


def test_shrinking_undoes_enlarging() -> None:
    pixels = make_cells(blur_px=1.5)
    back = resample(np.rint(resample(pixels, 2.0)).astype(np.uint16), 0.5)
    assert np.abs(back - pixels)[4:-4, 4:-4].mean() < 0.01 * pixels.mean()
