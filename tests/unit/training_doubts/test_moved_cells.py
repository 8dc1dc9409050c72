"""Pairs in which cells moved between the two pictures: the offset differs from place to place."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch_training.dataset.doubts import DoubtKind, Weight
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.pairs.local_offsets import LEAST_MOVED_PX, LocalOffset, find_moved
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pairs.registration import Registration, register
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import make_field, write_field, write_manifest
from tests.unit.training_data.test_training_registration import brightness

Plane = NDArray[np.float32]


def squeeze(plane: Plane, most_px: float) -> Plane:
    """Move what lies left of the middle to the right and the reverse, at most so far."""
    rows, cols = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(np.float32)
    along = np.sin(2 * np.pi * cols / plane.shape[1])
    return np.asarray(
        ndimage.map_coordinates(plane, [rows, cols - most_px * along], order=1, mode="nearest"),
        dtype=np.float32,
    )


def find(phase: Plane, fluorescence: Plane) -> Registration:
    return register(normalise(phase, NormaliseSpec()), brightness(fluorescence), 20)


@pytest.mark.parametrize("side", [384, 512, 1024])
def test_a_squeezed_field_is_found_to_differ_from_place_to_place(side: int) -> None:
    field = make_field(7, side=side, cells=side * side // 1500, shift=(3.5, -2.25))
    clean = find(field.phase, field.fluorescence)
    assert clean.moved is None
    factor = max(1, side // 512)
    moved = find(field.phase, squeeze(field.fluorescence, 8.0 * factor)).moved
    assert moved is not None
    # The frame's offset may be that of one side, from which the other differs by twice as much.
    assert LEAST_MOVED_PX * factor <= moved.distance_px <= (2 * 8 + 2) * factor
    assert abs(moved.offset_px[0]) < 2 * factor


def test_a_field_with_few_cells_says_nothing() -> None:
    field = make_field(8, side=384, cells=6)
    assert find(field.phase, squeeze(field.fluorescence, 2.0)).moved is None


@pytest.mark.parametrize("seed", [2, 105, 130, 139])
def test_few_glowing_cells_that_fit_others_by_chance_are_no_move(seed: int) -> None:
    field = make_field(seed, cells=60, share=3 / 7)
    assert find(field.phase, field.fluorescence).moved is None


OFFSETS = {
    "long and clearly better": ((5.0, 0.0), 0.8, 0.3, 9.0, True),
    "long and hardly better": ((9.0, 9.0), 0.8, 0.05, 9.0, False),
    "long and weak": ((9.0, 9.0), 0.4, 0.3, 9.0, False),
    "long, of a few cells": ((9.0, 9.0), 0.65, 0.4, 4.0, False),
    "short": ((2.0, 2.0), 0.8, 0.5, 9.0, False),
}


@pytest.mark.parametrize(
    ("offset", "explained", "gain", "places", "counts"), OFFSETS.values(), ids=OFFSETS.keys()
)
def test_a_local_offset_counts_where_it_is_long_and_explains_more(
    offset: tuple[float, float], explained: float, gain: float, places: float, counts: bool
) -> None:
    one = LocalOffset(
        centre_px=(64, 64), offset_px=offset, explained=explained, gain=gain, places=places
    )
    still = replace(one, offset_px=(0.1, 0.0), gain=0.0)
    assert find_moved([still, one]) == (one if counts else None)


def test_prepare_names_the_pair_the_place_and_the_distance(tmp_path: Path) -> None:
    rows = []
    for site in range(3):
        field = make_field(20 + site, side=384, cells=100)
        if site == 1:
            field = replace(field, fluorescence=squeeze(field.fluorescence, 8.0))
        rows.append(write_field(tmp_path, "r1", site, field))
    made = prepare(
        read_manifest(write_manifest(tmp_path / "pairs.csv", rows)),
        tmp_path / "out",
        PrepareSettings(),
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )
    (doubt,) = [each for each in made.doubts if each.kind is DoubtKind.MOVED]
    assert doubt.weight is Weight.LOOK
    assert doubt.pair == made.pairs[1].phase
    row, column = made.pairs[1].moved_at_px or (-1, -1)
    assert doubt.measured == (
        f"local offsets that differ by up to {made.pairs[1].moved_px:.0f} px from the frame's,"
        f" at row {row}, column {column}"
    )
    assert Pair.from_json(made.pairs[1].to_json()).moved_at_px == (row, column)


def warp(plane: Plane, rng: np.random.Generator, most_px: float) -> Plane:
    """Move everything smoothly, nothing farther than `most_px`."""
    moves = [ndimage.gaussian_filter(rng.normal(size=plane.shape), 80) for _ in range(2)]
    factor = most_px / np.hypot(*moves).max()
    places = [at + factor * by for at, by in zip(np.indices(plane.shape), moves, strict=True)]
    moved = ndimage.map_coordinates(plane, places, order=1, mode="nearest")
    return np.asarray(moved, dtype=np.float32)


@pytest.mark.parametrize("strain", ["delta", "R22", "R60"])
def test_real_pairs_that_are_warped_are_found_and_clean_ones_are_not(
    real_data: Path, strain: str
) -> None:
    rng = np.random.default_rng(0)
    found = []
    for field in (1, 4, 7, 10):
        path = real_data / "ecoli-yfp" / strain / f"field{field:02d}"
        phase, glow = (
            tifffile.imread(f"{path}_{kind}.tif").astype(np.float32) for kind in ("phase", "yfp")
        )
        assert find(phase, glow).moved is None
        found.append(find(phase, warp(glow, rng, 8.0)).moved is not None)
    # The farthest move may lie where there are no cells.
    assert sum(found) >= 2
