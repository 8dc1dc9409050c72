"""A fluorescence channel that is lit from one side or vignetted is named where labels follow it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scopewatch_training.dataset.checks.uneven import measure_unevenness
from scopewatch_training.dataset.doubts import DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.pairs.background import Background, lowest, measure_background
from scopewatch_training.dataset.pairs.record import Pair
from tests.unit.training_data.pair_files import Field, Plane, make_field
from tests.unit.training_doubts.changed_runs import prepare_runs

pytestmark = pytest.mark.training

Light = Callable[[Plane, Plane, Plane], Plane]


def lit(field: Field, site: int, light: Light) -> Field:
    """Change the light of a field; its noise is that of the photons there are."""
    down, across = np.mgrid[-1 : 1 : 1j * 256, -1 : 1 : 1j * 256].astype(np.float32)
    plane = light(field.fluorescence, down, across)
    noise = np.random.default_rng(site).normal(0, 1, plane.shape) * np.sqrt(np.abs(plane))
    return replace(field, fluorescence=(plane + noise).astype(np.float32))


def stray(plane: Plane, _: Plane, across: Plane) -> Plane:
    return np.asarray(plane + 6000 * np.exp(2 * (across - 1)))


def beam(plane: Plane, down: Plane, across: Plane) -> Plane:
    spot = np.exp(-(np.square(across + 1) + np.square(down)) / 0.5)
    return np.asarray(100 + (20 * plane - 100) * spot)


@pytest.mark.parametrize(
    ("light", "places"),
    [(stray, "right than at the"), (beam, "left than at the")],
    ids=["stray light", "a beam beside the field"],
)
def test_a_run_whose_labels_follow_its_light_is_named_and_no_other(
    light: Light, places: str, tmp_path: Path
) -> None:
    made = prepare_runs(tmp_path, lambda field, site: lit(field, site, light), wells=6)
    found = [each for each in made.doubts if each.kind is DoubtKind.UNEVEN]
    assert [(each.run, each.weight) for each in found] == [("r3", Weight.LOOK)]
    assert places in found[0].measured
    assert found[0].measured.partition(", ")[2].startswith("alike in 6 pairs; a pixel is positive")
    assert "divide the fluorescence by a picture of an even dye" in found[0].line
    assert verdict(made.doubts) is Verdict.LOOK


def slope(plane: Plane, _: Plane, across: Plane) -> Plane:
    return np.asarray(100 + (plane - 100) * (1 - 0.25 * (across + 1)))


def test_light_that_falls_to_half_is_taken_off_and_not_named(tmp_path: Path) -> None:
    made = prepare_runs(tmp_path, lambda field, site: lit(field, site, slope), wells=6)
    assert made.doubts == ()


def measured(run: str, site: int, plane: Plane) -> Pair:
    return Pair(
        id=f"{run}{site}", run=run, plate="P1", well="A1", site=site, time_point=0, day=None,
        phase="p.tif", fluorescence="f.tif", background=measure_background(plane, plane),
    )  # fmt: skip


def corner(seed: int) -> Plane:
    """Return noise, a lit corner, and a region of cells that lies elsewhere in each field."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(0, 5, (256, 256)).astype(np.float32)
    plane[:64, :64] += 300
    top, left = rng.integers(0, 128, 2)
    plane[top : top + 128, left : left + 128] += 900
    return plane


def test_the_least_of_many_fields_shows_light_and_no_cells() -> None:
    fields = [measure_background(each, each).left for each in map(corner, range(12))]
    profile = lowest(np.array(fields))
    assert profile.shape == (8, 8)
    assert profile[:2, :2] == pytest.approx(np.full((2, 2), 296), abs=6)
    assert np.abs(profile[2:, :]).max() < 12


@pytest.mark.parametrize(
    ("runs", "judged"),
    [
        ((12,), {"a": 12}),
        ((4,), {}),
        ((3, 3), {"a": 6, "b": 6}),
        ((8, 3), {"a": 8}),
        ((8, 3, 3), {"a": 8, "b": 6, "c": 6}),
    ],
)
def test_small_runs_are_judged_together(runs: tuple[int, ...], judged: dict[str, int]) -> None:
    pairs = [
        measured(run, site, corner(100 * index + site))
        for index, (run, count) in enumerate(zip("abc", runs, strict=False))
        for site in range(count)
    ]
    found = measure_unevenness(pairs, {pair.id: 200.0 for pair in pairs})
    assert {run: each.pairs for run, each in found.items()} == judged


def test_a_lit_corner_is_measured_in_thresholds_and_named() -> None:
    pairs = [measured("a", site, corner(site)) for site in range(12)]
    (found,) = measure_unevenness(pairs, {pair.id: 200.0 for pair in pairs}).values()
    assert found.left == pytest.approx(1.5, abs=0.1)
    assert found.bright == "upper left"
    assert found.counts
    assert not measure_unevenness(pairs, {pair.id: float("inf") for pair in pairs})


@pytest.mark.parametrize("runs", [(12,), (3, 3)])
def test_one_odd_pair_is_not_taken_for_light(runs: tuple[int, ...]) -> None:
    pairs = [
        measured(run, site, corner(100 * index + site) * 0.1)
        for index, (run, count) in enumerate(zip("ab", runs, strict=False))
        for site in range(count)
    ]
    odd = corner(7)
    odd[:, 128:] -= 900
    pairs[-1] = measured(pairs[-1].run, 99, odd)
    found = measure_unevenness(pairs, {pair.id: 200.0 for pair in pairs})
    assert not any(each.counts for each in found.values())


def test_masks_and_pairs_of_earlier_versions_are_not_judged() -> None:
    pairs = [replace(measured("a", site, corner(site)), background=Background()) for site in (1, 2)]
    assert measure_unevenness(pairs * 4, {pair.id: 200.0 for pair in pairs}) == {}


def test_a_background_is_kept_with_its_pair() -> None:
    pair = measured("a", 0, make_field(1).fluorescence)
    assert Pair.from_json(pair.to_json()).background == pair.background
    values = pair.to_json()
    del values["background"]
    assert Pair.from_json(values).background == Background()
