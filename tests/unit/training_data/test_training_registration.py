from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.fluorescence_signal import (
    estimate_noise,
    match_size,
    smooth,
    subtract_background,
)
from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch_training.dataset.pairs.registration import Registration, register
from scopewatch_training.dataset.pairs.shift import shift_plane
from tests.unit.training_data.pair_files import make_field

Plane = NDArray[np.float32]


def brightness(fluorescence: Plane) -> Plane:
    signal = smooth(subtract_background(fluorescence), 1.0)
    noise = np.float32(15 * estimate_noise(signal))
    return np.asarray(np.arcsinh(np.maximum(signal, 0) / noise), dtype=np.float32)


def find(phase: Plane, fluorescence: Plane, most: float = 20) -> Registration:
    return register(normalise(phase, NormaliseSpec()), brightness(fluorescence), most)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.4, -7.7), (-12.25, 5.5), (0.5, 0.25)])
def test_a_known_shift_is_found_within_a_third_of_a_pixel(shift: tuple[float, float]) -> None:
    field = make_field(1, shift=shift)
    found = find(field.phase, field.fluorescence)
    assert np.abs(np.subtract(found.offset_px, shift)).max() < 0.3
    assert found.confidence > 0.6


def test_a_large_frame_is_registered_on_block_means() -> None:
    field = make_field(2, side=1100, cells=700, shift=(6.0, -9.0))
    found = find(field.phase, field.fluorescence)
    assert np.abs(np.subtract(found.offset_px, (6.0, -9.0))).max() < 0.5


def test_few_glowing_cells_among_many_dark_ones_are_enough() -> None:
    field = make_field(3, side=512, cells=240, share=0.1, shift=(2.0, 3.0))
    found = find(field.phase, field.fluorescence)
    assert np.abs(np.subtract(found.offset_px, (2.0, 3.0))).max() < 0.6
    assert found.confidence > 0.5


def test_fields_that_do_not_belong_together_have_no_confidence() -> None:
    fields = [make_field(seed) for seed in range(8)]
    mismatched = [
        find(fields[index].phase, fields[index - 1].fluorescence).confidence for index in range(8)
    ]
    assert max(mismatched) < 0.5


def test_a_shift_beyond_the_largest_allowed_is_not_believed() -> None:
    field = make_field(4, shift=(30.0, 0.0))
    assert find(field.phase, field.fluorescence, most=10).confidence < 0.5
    assert find(field.phase, field.fluorescence, most=40).confidence > 0.5


def test_plain_pictures_have_no_confidence() -> None:
    flat = np.zeros((128, 128), dtype=np.float32)
    assert register(flat, flat, 10).confidence == 0.0


def test_a_plane_is_laid_back_and_unknown_where_it_has_nothing() -> None:
    plane = np.add.outer(np.arange(16.0), 10 * np.arange(16.0)).astype(np.float32)
    back = shift_plane(plane, (2.0, -1.5))
    assert back[3, 6] == pytest.approx(plane[5, 4] + 5)
    assert np.isnan(back[-2:]).all()
    assert np.isnan(back[:, :1]).all()


@pytest.mark.parametrize(
    "offset",
    [(0.3, -2.4), (-3.0, 5.0), (0.0, 1.5), (-12.7, 0.0), (69.5, -89.2), (-70.0, 1.0), (3.2, 400.0)],
)
def test_a_plane_is_laid_back_by_linear_interpolation(offset: tuple[float, float]) -> None:
    plane = np.random.default_rng(3).gamma(2, 300, (70, 90)).astype(np.float32)
    expected = ndimage.shift(
        plane.astype(np.float64), (-offset[0], -offset[1]), order=1, mode="constant", cval=np.nan
    )
    np.testing.assert_allclose(shift_plane(plane, offset), expected, rtol=1e-5)


def test_registering_a_laid_back_plane_finds_nothing_left() -> None:
    field = make_field(5, shift=(4.5, -3.25))
    first = find(field.phase, field.fluorescence)
    back = np.nan_to_num(shift_plane(field.fluorescence, first.offset_px), nan=130.0)
    assert np.abs(find(field.phase, back).offset_px).max() < 0.25


def real_pairs(data: Path) -> dict[str, tuple[Path, Path]]:
    ecoli, neurons = data / "ecoli-yfp", data / "ipsc-neurons"
    pairs = {
        f"{strain}{field}": (
            ecoli / strain / f"field{field:02d}_phase.tif",
            ecoli / strain / f"field{field:02d}_yfp.tif",
        )
        for strain in ("delta", "R22", "R60")
        for field in (0, 9)
    }
    return pairs | {"neurons": (neurons / "phase_z06.tif", neurons / "map2.tif")}


@pytest.mark.parametrize("name", ["delta0", "R229", "R600", "R609", "neurons"])
def test_real_pairs_are_registered_and_a_shift_of_them_is_measured(
    real_data: Path, name: str
) -> None:
    phase, glow = (tifffile.imread(path) for path in real_pairs(real_data)[name])
    fluorescence = match_size(glow, phase.shape, name)
    most = 20.0
    first = find(phase.astype(np.float32), fluorescence, most)
    assert first.confidence > 0.5
    assert np.abs(first.offset_px).max() < 6
    shift = np.array([2.3, -4.6])
    moved = ndimage.shift(fluorescence, shift, order=3, mode="nearest")
    second = find(phase.astype(np.float32), moved, most)
    assert np.abs(np.array(second.offset_px) - first.offset_px - shift).max() <= 0.3


def test_real_pairs_of_different_fields_are_not_believed(real_data: Path) -> None:
    files = real_pairs(real_data)
    names = ["delta0", "delta9", "R220", "R229", "R600", "R609"]
    views = [normalise(tifffile.imread(files[name][0]), NormaliseSpec()) for name in names]
    glows = [brightness(tifffile.imread(files[name][1]).astype(np.float32)) for name in names]
    confidences = [
        register(views[one], glows[two], 20).confidence
        for one in range(6)
        for two in range(6)
        if one != two
    ]
    assert max(confidences) < 0.5
