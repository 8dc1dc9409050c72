"""Black gaps of mosaics and corners of turned pictures are left out; all else is read as it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from scopewatch_training.dataset.doubt_page.summaries import fit_cuts
from scopewatch_training.dataset.pairs.gaps import fill_with_background, find_gap
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.tile_counts import add_up, count_tiles
from tests.unit.training_data.pair_files import Field, Plane, make_field
from tests.unit.training_doubts.changed_runs import prepare_runs

pytestmark = pytest.mark.training


def tiled(plane: Plane) -> Plane:
    """Return the plane as a mosaic of four tiles with 16 px between them."""
    gap = plane.copy()
    gap[120:136] = 0
    gap[:, 120:136] = 0
    return gap


def turned(plane: Plane) -> Plane:
    return np.asarray(ndimage.rotate(plane, 8, reshape=False, order=1, cval=0))


def both(change: Callable[[Plane], Plane]) -> Callable[[Field, int], Field]:
    return lambda field, _: replace(
        field, phase=change(field.phase), fluorescence=change(field.fluorescence)
    )


def fluorescence_alone(field: Field, _: int) -> Field:
    return replace(field, fluorescence=tiled(field.fluorescence))


def prevalence(made: Dataset, run: str) -> float:
    tiles = count_tiles(made, fit_cuts(made))
    return add_up(tiles[pair.id] for pair in made.accepted if pair.run == run).prevalence


@pytest.mark.parametrize(
    "change",
    [both(tiled), both(turned), fluorescence_alone],
    ids=["mosaics", "turned pictures", "mosaics of fluorescence"],
)
def test_labels_beside_black_gaps_are_those_of_the_whole_field_and_nothing_is_doubted(
    change: Callable[[Field, int], Field], tmp_path: Path
) -> None:
    whole = prepare_runs(tmp_path / "whole", lambda field, _: field)
    made = prepare_runs(tmp_path / "gaps", change)
    assert [pair.refused for pair in made.pairs] == [None] * 6
    assert made.doubts == ()
    for pair in made.accepted[4:]:
        assert 0.05 < pair.black < 0.25
        assert f"{pair.black:.1%} of its field is black" in pair.note
        assert np.hypot(*pair.offset_px) < 0.5
    assert prevalence(made, "r3") == pytest.approx(prevalence(whole, "r3"), abs=0.06)
    signal = made.signal(made.accepted[4])
    assert np.isnan(signal).mean() == pytest.approx(made.accepted[4].black, abs=0.07)


def test_a_gap_is_marked_with_its_border() -> None:
    pixels = np.full((128, 128), 400, dtype=np.uint16)
    pixels[40:60, 10:50] = 0
    gap = find_gap(pixels)
    assert gap is not None
    assert gap[40:60, 10:50].all()
    assert gap.sum() == (20 + 6) * (40 + 6)
    filled = fill_with_background(pixels, gap)
    assert filled.min() == 400
    assert pixels.min() == 0


@pytest.mark.parametrize("gaps", [1, 7], ids=["four tiles", "64 tiles"])
def test_gaps_of_few_pixels_between_many_tiles_are_gaps(gaps: int) -> None:
    pixels = np.clip(make_field(3).fluorescence, 1, 65535).astype(np.uint16)
    for place in np.linspace(0, 256, gaps + 2).astype(int)[1:-1]:
        pixels[place - 2 : place + 2] = pixels[:, place - 2 : place + 2] = 0
    assert find_gap(pixels) is not None


def test_a_round_well_is_shown_by_its_own_area() -> None:
    rows, cols = np.mgrid[:256, :256]
    outside = np.hypot(rows - 128, cols - 128) > 126
    pixels = np.where(outside, 0, make_field(3).fluorescence).astype(np.uint16)
    gap = find_gap(pixels)
    assert gap is not None
    assert gap[outside].all()


def cut_background(field: Field) -> Plane:
    return np.asarray(np.clip(field.fluorescence - 160, 0, None))


def dense_without_background(field: Field) -> Plane:
    """Return cells that leave little ground, which was cut at 0 within its noise."""
    ground = np.random.default_rng(1).normal(0, 8, field.phase.shape)
    ground = np.clip(ndimage.gaussian_filter(ground, 0.5), 0, None)
    return np.asarray(np.where(ndimage.binary_dilation(field.glowing), 900, ground))


def between_cells(field: Field) -> Plane:
    """Return the fluorescence of cells, all else set to 0, as a program that masks it writes."""
    return np.where(ndimage.binary_dilation(field.glowing), field.fluorescence, np.float32(0))


@pytest.mark.parametrize(
    "plane",
    [
        make_field(1).fluorescence,
        between_cells(make_field(1)),
        between_cells(make_field(1, cells=900)),
        cut_background(make_field(1)),
        dense_without_background(make_field(1, cells=900)),
        np.zeros((128, 128), dtype=np.float32),
        np.where(np.eye(128) > 0, 0, 300).astype(np.float32),
    ],
    ids=[
        "a camera's picture",
        "all but cells set to 0",
        "all but many cells set to 0",
        "a background cut at 0",
        "cells everywhere and a background cut at 0",
        "nothing",
        "single dead pixels",
    ],
)
def test_other_zeros_are_no_gap(plane: Plane) -> None:
    assert find_gap(np.clip(plane, 0, 65535).astype(np.uint16)) is None
