"""A run whose cells are darker towards one side is named; gaps and few fields are not judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch_training.dataset.checks.falling import find_falling_light, measure_fall
from scopewatch_training.dataset.doubts import DoubtKind, Weight
from scopewatch_training.dataset.pairs.background import Background, measure_background
from scopewatch_training.dataset.pairs.record import Pair
from tests.unit.training_data.pair_files import Field, make_field
from tests.unit.training_doubts.changed_runs import prepare_runs

pytestmark = pytest.mark.training

DOWN, ACROSS = np.mgrid[0:1:8j, 0:1:8j]


def pair_of(site: int, light: NDArray[np.float64], *, covered: float = 1.0) -> Pair:
    """Return a pair whose cells differ by a third from place to place, under some light."""
    rng = np.random.default_rng(site)
    cells = 1000 * np.exp(rng.normal(0, 0.3, (8, 8))) * light
    cells[rng.random((8, 8)) >= covered] = 0
    return Pair(
        id=f"r{site}", run="r", plate="P1", well="A1", site=site, time_point=0, day=None,
        phase="p.tif", fluorescence="f.tif", noise=1.0,
        background=Background(bright=tuple(cells.ravel().tolist())),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("light", "dark"),
    [
        (1 - 0.9 * ACROSS, "the right,"),
        (0.1 + 0.9 * ACROSS, "the left,"),
        (1 - 0.9 * DOWN, "the lower,"),
        (1 - 0.45 * (DOWN + ACROSS), "the lower right,"),
    ],
)
def test_light_that_falls_to_a_tenth_is_named_with_its_side(
    light: NDArray[np.float64], dark: str
) -> None:
    (doubt,) = find_falling_light([pair_of(site, light) for site in range(5)])
    assert (doubt.kind, doubt.weight, doubt.run) == (DoubtKind.FALLING, Weight.LOOK, "r")
    assert dark in doubt.measured
    assert "alike in 5 pairs" in doubt.measured
    assert "divide the fluorescence by a picture of an even dye" in doubt.line


@pytest.mark.parametrize("light", [np.ones((8, 8)), 1 - 0.4 * ACROSS], ids=["even", "to 0.6"])
def test_even_light_and_a_small_fall_are_not_named(light: NDArray[np.float64]) -> None:
    assert find_falling_light([pair_of(site, light) for site in range(5)]) == []


def test_bright_cells_at_odd_places_are_no_fall() -> None:
    light = np.where(np.random.default_rng(0).random((8, 8)) < 0.3, 0.1, 1.0)
    found = measure_fall([pair_of(site, light) for site in range(5)])
    assert found is not None
    assert found.explained < 0.3
    assert not found.counts


def test_fields_that_cells_do_not_cover_are_not_judged() -> None:
    light = 1 - 0.9 * ACROSS
    assert measure_fall([pair_of(site, light, covered=0.5) for site in range(9)]) is None
    assert measure_fall([pair_of(site, light) for site in range(2)]) is None


def test_swapped_pairs_and_data_sets_of_earlier_versions_are_not_judged() -> None:
    pairs = [pair_of(site, 1 - 0.9 * ACROSS) for site in range(5)]
    assert measure_fall([replace(pair, role_score=-2.0) for pair in pairs]) is None
    assert measure_fall([replace(pair, background=Background()) for pair in pairs]) is None


def test_the_brightness_of_a_place_is_that_of_its_cells() -> None:
    plane = np.zeros((256, 256), np.float32)
    plane[8:24, 8:24] = 500
    bright = np.array(measure_background(plane, plane).bright).reshape(8, 8)
    assert bright[0, 0] == 500
    assert np.count_nonzero(bright) == 1


def falling(field: Field, site: int) -> Field:
    light = np.linspace(1, 0.1, field.fluorescence.shape[1])
    plane = 100 + (field.fluorescence - 100) * light
    noise = np.random.default_rng(site).normal(0, 3, plane.shape)
    return replace(field, fluorescence=(plane + noise).astype(np.float32))


@pytest.mark.parametrize(("dark", "named"), [(True, {"r3"}), (False, set())])
def test_pictures_of_a_dense_run_are_named_where_their_light_falls(
    dark: bool, named: set[str], tmp_path: Path
) -> None:
    def change(_: Field, site: int) -> Field:
        dense = make_field(200 + site, cells=300)
        return falling(dense, site) if dark else dense

    made = prepare_runs(tmp_path, change, wells=4)
    assert {each.run for each in made.doubts if each.kind is DoubtKind.FALLING} == named
