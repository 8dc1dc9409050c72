"""A frame is judged, or refused for one stated reason; never scored on a guess."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import ModelError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.quality import measure, saturated_fraction
from scopewatch.core.imaging.result import Verdict
from scopewatch.core.imaging.verdict import judge, refuse_shape
from tests.unit.core.samples import make_card, make_cells, view_of


def verdict_of(pixels: Pixels, *, size_um: float | None = 1.0, **quality: Any) -> Verdict:
    return judge(pixels, view_of(pixels), make_card(quality=quality), size_um)


def test_a_good_frame_is_judged_and_measured() -> None:
    verdict = verdict_of(make_cells())
    assert verdict.judged
    assert verdict.fault is None
    assert verdict.reason == ""
    assert verdict.measures["scale_checked"] == 1
    assert verdict.measures["resampled_by"] == 1


@pytest.mark.parametrize("value", [0, 7, 2000])
def test_a_constant_frame_is_blank(value: int) -> None:
    verdict = verdict_of(np.full((128, 128), value, dtype=np.uint16))
    assert verdict.fault is Fault.BLANK
    assert verdict.reason == (
        "frame is blank, all pixels are equal: 128 x 128 px frame"
        " (expected blank <= 0, got 1); check the lamp, the shutter and the camera"
    )


@pytest.mark.parametrize(
    ("kind", "value"), [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095)]
)
def test_an_all_saturated_frame_is_saturated_and_not_blank(kind: type, value: int) -> None:
    verdict = verdict_of(np.full((128, 128), value, dtype=kind))
    assert verdict.fault is Fault.SATURATED
    assert "(expected saturated <= 0.2, got 1); lower the exposure" in verdict.reason


@pytest.mark.parametrize("mean", [100, 1000, 30_000])
def test_a_frame_of_mere_noise_is_blank(mean: int) -> None:
    rng = np.random.default_rng(1)
    pixels = np.rint(rng.normal(mean, 6, (256, 256))).astype(np.uint16)
    verdict = verdict_of(pixels)
    assert verdict.fault is Fault.BLANK
    assert verdict.reason.startswith("frame holds nothing but noise: 256 x 256 px frame")


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_saturation_is_found_at_the_full_scale_of_every_camera(bits: int) -> None:
    full = 2**bits - 1
    kind = np.uint8 if bits == 8 else np.uint16
    pixels = make_cells() / 8000 * full
    pixels[:128] *= 4
    clipped = np.minimum(pixels, full).astype(kind)
    expected = float(np.mean(clipped == full))
    assert expected > 0.4
    assert saturated_fraction(clipped) == pytest.approx(expected)
    assert verdict_of(clipped).fault is Fault.SATURATED
    assert verdict_of(clipped, max_saturated=0.6).fault is not Fault.SATURATED


def test_limits_of_the_card_are_applied_only_where_they_are_set() -> None:
    pixels = make_cells(blur_px=6)
    assert verdict_of(pixels).judged
    verdict = verdict_of(pixels, min_focus=0.1)
    assert verdict.fault is Fault.OUT_OF_FOCUS
    assert verdict.reason.startswith(
        "frame is out of focus: 256 x 256 px frame (expected focus >= 0.1, got 0.0"
    )
    assert verdict.reason.endswith("; refocus, or check the autofocus of this well")
    assert verdict_of(make_cells(), min_focus=0.1).judged


@pytest.mark.parametrize(
    ("quality", "fault", "reason"),
    [
        ({"min_contrast": 0.9}, Fault.BLANK, "frame has too little contrast: .*contrast >= 0.9"),
        ({"max_contrast": 0.01}, Fault.OUT_OF_DOMAIN, "in its contrast: .*contrast <= 0.01"),
        ({"max_focus": 0.01}, Fault.OUT_OF_DOMAIN, "in its focus: .*focus <= 0.01"),
        (
            {"domain": {"entropy": (4, 6), "correlation_px": (40, 80)}},
            Fault.OUT_OF_DOMAIN,
            r"unlike the training frames in its correlation_px: .*correlation_px 40 to 80, got",
        ),
    ],
)
def test_a_limit_that_is_broken_names_its_measure(
    quality: dict[str, Any], fault: Fault, reason: str
) -> None:
    verdict = verdict_of(make_cells(), **quality)
    assert verdict.fault is fault
    assert re.search(reason, verdict.reason), verdict.reason


def test_a_frame_inside_its_domain_is_judged() -> None:
    measures = measure(make_cells(), view_of(make_cells()))
    domain = {name: (value - 0.1, value + 0.1) for name, value in measures.items()}
    assert verdict_of(make_cells(), domain=domain).judged


def test_a_card_that_limits_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ModelError, match=r"card limits measures that do not exist: .*got glow"):
        verdict_of(make_cells(), domain={"glow": (0, 1)})


def test_a_wrong_scale_is_refused_before_anything_is_measured() -> None:
    verdict = verdict_of(make_cells(), size_um=5.0)
    assert verdict.fault is Fault.WRONG_SCALE
    assert "got 5 um/px" in verdict.reason
    assert "focus" not in verdict.measures


def test_an_unknown_scale_is_recorded_as_not_checked() -> None:
    assert verdict_of(make_cells(), size_um=None).measures["scale_checked"] == 0


@pytest.mark.parametrize("shape", [(1, 1), (63, 512), (512, 63)])
def test_a_frame_of_less_than_two_by_two_tiles_is_of_wrong_shape(shape: tuple[int, int]) -> None:
    verdict = verdict_of(np.ones(shape, dtype=np.uint16))
    assert verdict.fault is Fault.WRONG_SHAPE
    assert f"expected 64 to 8192 px a side, got {shape[0]} x {shape[1]} px" in verdict.reason


def test_the_allowed_sizes_are_inclusive() -> None:
    assert refuse_shape((64, 8192), 32) == ""
    assert refuse_shape((64, 8193), 32).startswith("frame has the wrong size: tiles of 32 px")


def test_real_phase_frames_pass_and_their_ruined_versions_do_not(real_data: Path) -> None:
    for name in (
        "psc-timelapse/t000.tif",
        "psc-timelapse/t282.tif",
        "ecoli-yfp/R60/field03_phase.tif",
    ):
        pixels = tifffile.imread(real_data / name)
        assert verdict_of(pixels, size_um=None).judged, name
        assert verdict_of(np.zeros_like(pixels)).fault is Fault.BLANK, name
        full = int(np.iinfo(pixels.dtype).max)
        overexposed = np.minimum(pixels.astype(np.float64) * full / np.median(pixels), full)
        assert verdict_of(overexposed.astype(pixels.dtype)).fault is Fault.SATURATED, name
