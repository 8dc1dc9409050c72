"""Pictures that do not belong together: of two scales, of other moments, of other fields."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch_training.dataset.checks.coarseness import (
    find_mixed_scales,
    find_odd_coarseness,
    find_unstated_sizes,
)
from scopewatch_training.dataset.checks.masks import find_loose_masks
from scopewatch_training.dataset.checks.unrelated import find_unequal_stacks
from scopewatch_training.dataset.doubts import DoubtKind, Weight
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.pairs.gaps import border_share
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.regions import measure_enclosed
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import (
    Field,
    make_field,
    write_field,
    write_manifest,
)

pytestmark = pytest.mark.training


def pair(at: int = 0, **facts: object) -> Pair:
    made = Pair(
        id=f"r1-A{at}", run="r1", plate="P1", well=f"A{at}", site=0, time_point=0, day=None,
        phase="p.tif", fluorescence="f.tif", height=256, width=256,
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fineness", "measured"),
    [
        ((0.8, 0.9, 1.5, 1.5), "2 pairs with a fineness of about 0.9 and 2 with 1.5"),
        ((0.0, 0.8, 0.9, 0.9, 0.1), "2 pairs with a fineness of about 0.1 and 3 with 0.9"),
        ((0.8, 0.9, 0.9, 1.5), None),
        ((0.8, 1.0, 1.2, 1.4), None),
        ((0.3, 0.5, 1.0, 1.05, 1.1), None),
        ((0.8, 1.6), None),
    ],
    ids=["halves", "two of five", "one debris", "spread", "few of E. coli", "too few"],
)
def test_a_run_of_two_microscopes_is_named(fineness: Sequence[float], measured: str | None) -> None:
    looks = [Look(mark="0" * 64, fineness=each) for each in fineness]
    found = find_mixed_scales([pair(at, phase_look=look) for at, look in enumerate(looks)])
    assert [each.measured for each in found] == ([] if measured is None else [measured])


@pytest.mark.parametrize(
    ("side", "fineness", "named"),
    [
        (128, 0.35, True),
        (85, 0.35, True),
        (128, 0.15, False),
        (200, 0.35, False),
        (256, 0.35, False),
    ],
    ids=["binned 2 x 2", "binned 3 x 3", "a region of the camera", "a crop", "as large as most"],
)
def test_a_binned_run_is_named_though_the_same_pixel_size_is_stated(
    side: int, fineness: float, named: bool
) -> None:
    facts = [(256, 0.0), (256, 0.05), (side, fineness)]
    pairs = [
        pair(
            run=f"r{at}",
            height=height,
            width=height,
            um_per_px=0.65,
            phase_look=Look(mark="0" * 64, fineness=value),
        )
        for at, (height, value) in enumerate(facts)
    ]
    found = find_odd_coarseness(pairs)
    assert [(each.run, each.weight) for each in found] == [("r2", Weight.LOOK)] * named
    assert all("finer structure (fineness 0.3) in frames 1/" in each.measured for each in found)


@pytest.mark.parametrize(
    ("um", "turned", "named"), [(None, False, True), (0.65, False, False), (None, True, False)]
)
def test_frames_of_another_size_are_named_where_no_pixel_size_is_stated(
    um: float | None, turned: bool, named: bool
) -> None:
    usual = [pair(at, height=256, width=512, um_per_px=um) for at in range(3)]
    odd = pair(3, height=512 if turned else 128, width=256, um_per_px=um)
    found = find_unstated_sizes([*usual, odd])
    assert [each.measured for each in found] == (["128 x 256 px in 1 of 4 pairs"] if named else [])


@pytest.mark.parametrize(
    ("phase", "fluorescence", "pages", "named"),
    [
        ("p.tif#page=3", "f.tif#page=3", (6, 5), True),
        ("p.tif#page=3", "f.tif#page=3", (6, 6), False),
        ("p.tif#page=3", "f.tif#page=2", (6, 5), False),
        ("p.tif#page=0", "p.tif#page=1", (2, 2), False),
        ("p.tif", "f.tif", (2, 1), False),
    ],
)
def test_the_same_page_of_unequal_stacks_is_named(
    phase: str, fluorescence: str, pages: tuple[int, int], named: bool
) -> None:
    found = find_unequal_stacks([pair(phase=phase, fluorescence=fluorescence, pages=pages)])
    assert [each.measured for each in found] == (
        ["5 pages of fluorescence and 6 of phase contrast, of which the same are taken in"
         " 1 of 1 pairs"] if named else []
    )  # fmt: skip


def rising(page: int) -> Field:
    """Return the same cells as on every page, of which more glow on later ones."""
    return make_field(7, share=(page + 1) / 6)


def test_pages_of_stacks_are_counted(tmp_path: Path) -> None:
    fields = [rising(page) for page in range(6)]
    stacks = {
        "p.tif": [field.phase for field in fields],
        "f.tif": [field.fluorescence for at, field in enumerate(fields) if at != 2],
    }
    for name, planes in stacks.items():
        tifffile.imwrite(tmp_path / name, np.stack(planes).astype(np.uint16))
    rows = [
        {"run": "r1", "plate": "P1", "well": "A1", "site": "0", "time_point": str(page),
         "phase": f"p.tif#page={page}", "fluorescence": f"f.tif#page={page}"}
        for page in (1, 3)
    ]  # fmt: skip
    made = prepare_rows(tmp_path, rows)
    assert [each.pages for each in made.accepted] == [(6, 5), (6, 5)]
    (found,) = [each for each in made.doubts if each.kind is DoubtKind.PAGES]
    assert found.weight is Weight.LOOK


def prepare_rows(folder: Path, rows: Sequence[dict[str, str]]) -> Dataset:
    manifest = read_manifest(write_manifest(folder / "pairs.csv", rows))
    return prepare(
        manifest, folder / "out", PrepareSettings(), now=datetime(2026, 3, 1, tzinfo=UTC)
    )


def test_masks_that_were_exchanged_are_named_and_fitting_ones_are_not(tmp_path: Path) -> None:
    rows = []
    for site in range(4):
        field = make_field(site, cells=80)
        drawn = np.where(field.glowing, 255, 0).astype(np.float32)
        rows.append(write_field(tmp_path, "r1", site, replace(field, fluorescence=drawn)))
    one, other = rows[1]["fluorescence"], rows[3]["fluorescence"]
    rows[1]["fluorescence"], rows[3]["fluorescence"] = other, one
    (found,) = [
        each for each in prepare_rows(tmp_path, rows).doubts if each.kind is DoubtKind.LOOSE_MASKS
    ]
    assert found.measured == "2 of 4 pairs at no shift, r1/P1/A2/s0/t0000 the first"


def test_where_no_mask_fits_none_is_called_exchanged() -> None:
    loose = "mask: 5.0% of its area is positive, as drawn; used where it lies, not registered"
    assert find_loose_masks([pair(at, note=loose) for at in range(4)]) == []


def test_filled_regions_with_holes_are_no_outlines() -> None:
    area = np.zeros((128, 128), dtype=np.bool_)
    area[20:60, 20:60] = True
    area[35:45, 35:45] = False
    assert measure_enclosed(area) == 0
    area[22:58, 22:58] = False
    assert measure_enclosed(area) > 2


@pytest.mark.parametrize("value", [0, 240])
def test_a_border_is_of_one_value_that_is_not_black(value: int) -> None:
    pixels = np.random.default_rng(0).integers(50, 200, (100, 100)).astype(np.uint8)
    assert border_share(pixels) == 0
    pixels[:10] = value
    assert border_share(pixels) == pytest.approx(0.1 if value else 0)
