"""Simulated runs: determinism, time course, truth, and what a frame may not give away."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import mannwhitneyu

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.normalise import NormaliseSpec
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_simulator.plan import (
    AREA_CUTOFF,
    FINAL_TIME_POINT,
    MAX_WELLS,
    TILE_PX,
    Regime,
    WellKind,
)
from scopewatch_simulator.simulation import Simulation
from scopewatch_simulator.truth import efficiency_of
from tests.unit.core.samples import smooth_background

SIZE_PX = 256


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation(seed=3, size_px=SIZE_PX, cached_fields=8)


def means(plane: NDArray[np.bool_]) -> NDArray[np.float32]:
    return TileGrid(height=SIZE_PX, width=SIZE_PX, tile_px=TILE_PX).means(plane)


def roc_auc(labels: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative."""
    positive, negative = scores[labels], scores[~labels]
    return float(mannwhitneyu(positive, negative).statistic / (positive.size * negative.size))


def test_a_frame_is_the_same_alone_and_after_others(simulation: Simulation) -> None:
    for time_point in (20, 0, 11):
        simulation.frame(0, 0, 0, time_point)
        simulation.frame(1, 2, 0, time_point)
    alone = Simulation(seed=3, size_px=SIZE_PX, cached_fields=1)
    for time_point in (11, 20):
        assert np.array_equal(
            alone.frame(0, 0, 0, time_point), simulation.frame(0, 0, 0, time_point)
        )
    assert np.array_equal(alone.marker_frame(0, 0, 0, 20), simulation.marker_frame(0, 0, 0, 20))


def test_seeds_runs_wells_and_sites_all_differ(simulation: Simulation) -> None:
    other = Simulation(seed=4, size_px=SIZE_PX)
    first = simulation.frame(0, 0, 0, 20)
    for frame in (
        other.frame(0, 0, 0, 20),
        simulation.frame(1, 0, 0, 20),
        simulation.frame(0, 1, 0, 20),
        simulation.frame(0, 0, 1, 20),
        simulation.frame(0, 0, 0, 19),
    ):
        assert not np.array_equal(first, frame)


def test_a_frame_is_what_a_camera_gives(simulation: Simulation) -> None:
    frame = simulation.frame(0, 0, 0, 20)
    assert frame.shape == (SIZE_PX, SIZE_PX)
    assert frame.dtype == np.uint16
    assert (frame == 65_535).mean() < 0.01
    assert frame.min() > 0


def test_the_final_efficiency_is_the_planned_one(simulation: Simulation) -> None:
    for well in range(4):
        planned = simulation.well_plan(0, well).final_efficiency
        truth = simulation.truth(0, well, 0, FINAL_TIME_POINT)
        assert truth.efficiency == pytest.approx(planned, rel=0.25, abs=0.04)
        assert truth.area_fraction == pytest.approx(truth.efficiency, abs=0.1)


def test_truth_counts_whole_tiles_from_half_their_area_on(simulation: Simulation) -> None:
    mask = simulation.mask(0, 1, 0, 20)
    counted = (means(mask) >= AREA_CUTOFF).mean()
    assert simulation.truth(0, 1, 0, 20).efficiency == pytest.approx(counted)
    cut = np.ones((TILE_PX, TILE_PX * 2 + 5), dtype=bool)
    cut[:, : TILE_PX // 2 + TILE_PX + 1] = False
    assert efficiency_of(cut) == 0.0  # the partial tile, all positive, does not count


def test_efficiency_rises_from_nothing_and_cells_stay_switched(simulation: Simulation) -> None:
    course = [simulation.truth(0, 1, 0, t).area_fraction for t in range(FINAL_TIME_POINT + 1)]
    assert course[:8] == [0.0] * 8
    assert course[-1] > 0.05
    assert all(later >= earlier - 0.01 for earlier, later in pairwise(course))


def test_day_seven_predicts_the_final_day_but_does_not_equal_it() -> None:
    simulation = Simulation(seed=5, size_px=SIZE_PX, cached_fields=1)
    seventh, final = np.array(
        [
            [simulation.truth(run, well, 0, t).efficiency for t in (14, FINAL_TIME_POINT)]
            for run in range(2)
            for well in range(6)
        ]
    ).T
    assert np.corrcoef(seventh, final)[0, 1] > 0.8
    share = seventh / np.maximum(final, 0.01)
    assert share.std() > 0.03
    assert share.mean() > 0.5


def test_broad_wells_span_five_to_ninety_percent(simulation: Simulation) -> None:
    plans = [simulation.well_plan(run, well) for run in range(4) for well in range(12)]
    finals = [plan.final_efficiency for plan in plans]
    assert 0.05 <= min(finals) < 0.15
    assert 0.8 < max(finals) <= 0.9
    assert {plan.kind for plan in plans} == set(WellKind)


def test_sparse_wells_average_eight_to_ten_percent() -> None:
    simulation = Simulation(seed=1, regime=Regime.SPARSE)
    finals = [
        simulation.well_plan(run, well).final_efficiency for run in range(7) for well in range(12)
    ]
    assert 0.08 <= np.mean(finals) <= 0.10


def test_early_frames_have_colonies_and_bare_dish(simulation: Simulation) -> None:
    first, last = (simulation.frame(1, 0, 0, t).astype(np.float32) for t in (0, 12))

    def bare(frame: NDArray[np.float32]) -> float:
        flat = frame / smooth_background(frame, NormaliseSpec().background_px)
        spread = ndimage.generic_filter(flat[::4, ::4], np.std, size=5)
        return float((spread < 0.04).mean())

    assert bare(first) > bare(last) + 0.3


def test_fluorescence_gives_the_true_mask_back(simulation: Simulation) -> None:
    marker = simulation.marker_frame(0, 1, 0, FINAL_TIME_POINT).astype(np.float32)
    mask = simulation.mask(0, 1, 0, FINAL_TIME_POINT)
    background = np.percentile(marker[~mask], 50)
    signal = marker[mask].mean() - background
    found = marker > background + 0.3 * signal
    assert (found != mask).mean() < 0.05


def test_local_contrast_does_not_give_the_class_away() -> None:
    simulation = Simulation(seed=2, size_px=SIZE_PX, cached_fields=1)
    spread, positive = [], []
    for run in range(3):
        for well in range(3):
            frame = simulation.frame(run, well, 0, FINAL_TIME_POINT).astype(np.float32)
            tiles = frame.reshape(8, TILE_PX, 8, TILE_PX)
            spread.append(tiles.std(axis=(1, 3)).ravel() / frame.mean())
            mask = simulation.mask(run, well, 0, FINAL_TIME_POINT)
            positive.append((means(mask) >= AREA_CUTOFF).ravel())
    auc = roc_auc(np.concatenate(positive), np.concatenate(spread))
    assert max(auc, 1 - auc) <= 0.75


def test_the_cache_of_fields_is_bounded() -> None:
    simulation = Simulation(seed=1, size_px=64, cached_fields=2)
    for well in range(4):
        simulation.prepare(0, well, 0)
    assert len(simulation.planned_fields) == 2
    assert simulation.planned_fields == ((0, 2, 0), (0, 3, 0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ((-1, 0, 0, 0), "run is negative: run (expected >= 0, got -1); count from 0"),
        ((0, 0, -1, 0), "site is negative"),
        ((0, MAX_WELLS, 0, 0), "no such well on a simulated plate: index 96"),
        ((0, 0, 0, 21), "no such time point in a simulated run: time point 21"),
    ],
)
def test_frames_that_do_not_exist_are_refused(
    simulation: Simulation, call: tuple[int, int, int, int], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        simulation.frame(*call)
    assert says in str(refused.value)


@pytest.mark.parametrize("size_px", [32, 5000])
def test_impossible_sizes_are_refused(size_px: int) -> None:
    with pytest.raises(ConfigError, match="simulated frames cannot have this size"):
        Simulation(seed=1, size_px=size_px)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ConfigError, match="seed is negative"):
        Simulation(seed=-1)
