"""The sharpest plane of a stack: votes of blocks, ties, and what cannot be compared."""

import numpy as np
import pytest

from scopewatch.core.imaging.frame import Pixels
from scopewatch.core.imaging.sharpest import BLOCK_PX, sharpest_plane
from scopewatch_simulator.field import plan_culture
from scopewatch_simulator.focus_series import FloatingDebris, focus_series
from scopewatch_simulator.plan import Regime, plan_run, plan_well

FLAT = np.full((64, 64), 500, np.uint16)


def simulated(
    heights_um: list[float], *, debris: FloatingDebris | None = None, light: float = 1.0
) -> list[Pixels]:
    run = plan_run(5, 0)
    culture = plan_culture(5, run, plan_well(5, Regime.BROAD, run, 3), 0, 256)
    rng = np.random.default_rng(5)
    return list(
        focus_series(rng, run, culture, 8, heights_um=heights_um, debris=debris, light=light)
    )


def lively(blocks: int, *, scale: float = 1.0) -> Pixels:
    """A flat frame with structure in the first so many of its 16 blocks."""
    frame = FLAT.astype(np.float64)
    noise = np.random.default_rng(blocks).normal(0, 40 * scale, (64, 64))
    for number in range(blocks):
        row, col = (BLOCK_PX * part for part in divmod(number, 4))
        window = np.s_[row + 2 : row + BLOCK_PX - 2, col + 2 : col + BLOCK_PX - 2]
        frame[window] += noise[window]
    return frame.astype(np.uint16)


def test_the_plane_nearest_the_cells_is_chosen_whatever_its_place_in_the_stack() -> None:
    for away in ([-10.0, 0.0, 10.0, 20.0], [0.0, 8.0, 16.0], [-24.0, -16.0, -8.0, 1.0]):
        chosen = sharpest_plane(simulated(away), away)
        assert abs(away[chosen.index]) == min(abs(each) for each in away)
        assert sum(chosen.scores) == pytest.approx(1)
        assert max(chosen.scores) == chosen.scores[chosen.index] > 0.4


def test_debris_in_focus_above_the_cells_does_not_outvote_them() -> None:
    away = [-10.0, 0.0, 10.0, 20.0, 30.0]
    debris = FloatingDebris(per_mm2=300, height_um=20)
    for light in (1.0, 0.05):
        assert sharpest_plane(simulated(away, debris=debris, light=light), away).index == 1


def test_a_brighter_lamp_is_no_sharper_plane() -> None:
    away = [0.0, 12.0]
    sharp, blurred = simulated(away)
    brighter = (blurred.astype(np.float64) * 2).astype(np.uint16)
    assert sharpest_plane([sharp, brighter], away).index == 0


def test_a_block_has_one_vote_however_lively_it_is() -> None:
    few_but_strong, many = lively(3, scale=4), lively(12)
    assert sharpest_plane([few_but_strong, many], [0, 1]).scores == pytest.approx((0.25, 0.75))


def test_planes_are_taken_one_by_one() -> None:
    taken = iter([lively(2), lively(9), lively(4)])
    assert sharpest_plane(taken, [0, 1, 2]).index == 1
    assert next(taken, None) is None


def test_of_equal_planes_the_middle_one_is_chosen_and_then_the_lower_one() -> None:
    nothing = sharpest_plane([FLAT] * 4, [0.0, 5.0, 10.0, 15.0])
    assert (nothing.index, nothing.scores) == (1, (0.0, 0.0, 0.0, 0.0))
    assert sharpest_plane([FLAT] * 4, [15.0, 10.0, 5.0, 0.0]).index == 2
    assert sharpest_plane([FLAT] * 3, [-40.0, 0.0, 2.0]).index == 1


def test_a_single_plane_needs_no_choice() -> None:
    chosen = sharpest_plane([FLAT], [7])
    assert (chosen.index, chosen.scores) == (0, (1.0,))


def test_planes_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match=r"differ in size: \(64, 64\) and \(32, 64\)"):
        sharpest_plane([FLAT, FLAT[:32]], [0, 1])
    with pytest.raises(ValueError, match="2 planes with 3 heights"):
        sharpest_plane([FLAT, FLAT], [0, 1, 2])
    with pytest.raises(ValueError, match="0 planes with 0 heights"):
        sharpest_plane([], [])
