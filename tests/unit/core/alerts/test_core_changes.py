"""Jumps of what a well looks like."""

import os
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.alerts.changes import find_change
from scopewatch.core.alerts.observation import Cause
from scopewatch.core.imaging.quality import measure
from tests.unit.core.samples import make_cells, view_of


def size(name: str, values: list[float]) -> float:
    found = find_change([{name: value} for value in values])
    assert found is not None
    return found.size


def test_a_fall_of_coverage_that_lasts_stays_found_until_it_goes_back() -> None:
    fallen = [0.9, 0.9, 0.9, 0.9, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    assert size("coverage", fallen) == pytest.approx(1.5)
    assert size("coverage", [*fallen, 0.88]) < 0.2


def test_a_slow_drift_is_no_jump() -> None:
    drift = [0.95 - 0.02 * index for index in range(30)]
    assert size("coverage", drift) < 0.5


def test_a_rise_of_coverage_is_growth() -> None:
    assert size("coverage", [0.3, 0.3, 0.3, 0.3, 0.9]) == 0


def test_a_well_that_always_jumps_about_must_jump_further() -> None:
    restless = [0.9, 0.7, 0.9, 0.7, 0.9, 0.55]
    assert size("coverage", restless) < 1 < size("coverage", [0.8] * 5 + [0.55])


def test_contrast_counts_in_proportion() -> None:
    assert size("contrast", [0.4] * 4 + [0.1]) == pytest.approx(
        size("contrast", [0.04] * 4 + [0.01])
    )


def test_fewer_than_four_time_points_say_nothing() -> None:
    assert find_change([{"coverage": 0.9}] * 3) is None


def test_measures_that_some_frames_lack_are_passed_over() -> None:
    history: list[dict[str, float]] = [{"coverage": 0.9}, {"coverage": 0.9}, {}, {"coverage": 0.9}]
    assert find_change([*history, {"coverage": 0.9}, {"coverage": 0.4}]) is not None
    assert find_change([{"unknown": 1.0}] * 6) is None


def test_bare_ground_looks_like_cells_that_came_off() -> None:
    steady = [make_cells(512, 512, noise=0.005, seed=seed) for seed in range(5)]
    torn = steady[4].copy()
    torn[:, :256] = np.rint(np.random.default_rng(1).normal(4000, 20, (512, 256)))
    looks = [measure(frame, view_of(frame)) for frame in [*steady[:4], torn]]
    found = find_change(looks)
    assert found is not None
    assert (found.measure, found.cause) == ("coverage", Cause.DETACHMENT)
    assert found.size > 1.5


def test_fine_grain_that_was_not_there_looks_like_contamination() -> None:
    rng = np.random.default_rng(5)
    steady = [make_cells(512, 512, blur_px=2, seed=seed) for seed in range(5)]
    overgrown = steady[4].astype(np.float64)
    for y, x in rng.integers(0, 508, (6000, 2)):
        overgrown[y : y + 2, x : x + 4] *= 0.7
    frames = [*steady[:4], np.rint(overgrown).astype(np.uint16)]
    found = find_change([measure(frame, view_of(frame)) for frame in frames])
    assert found is not None
    assert found.cause is Cause.CONTAMINATION
    assert found.size > 1.5


@pytest.mark.skipif(
    "SCOPEWATCH_DATA" not in os.environ, reason="real images: set SCOPEWATCH_DATA to their folder"
)
def test_real_cells_that_grow_undisturbed_never_jump() -> None:
    from scopewatch.sources.readers.image_file import read_plane  # noqa: PLC0415 - only where images are

    folder = Path(os.environ["SCOPEWATCH_DATA"]) / "psc-timelapse"
    looks = []
    for path in sorted(folder.glob("t*.tif"))[::2]:
        pixels = read_plane(path).pixels
        looks.append(measure(pixels, view_of(pixels)))
    assert len(looks) == 24
    for count in range(4, len(looks) + 1):
        found = find_change(looks[:count])
        assert found is not None
        assert found.size < 0.6
