"""Guessing the layout from names."""

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.layouts.guess import guess_layout
from scopewatch.sources.layouts.registry import LAYOUTS

# Plain names of one layout are also names of the other.
ALIKE = {"pyincucyte": "incucyte"}


def best(paths: list[str]) -> str | None:
    guesses = guess_layout(paths)
    return guesses[0].layout.name if guesses else None


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_names_of_a_layout_are_guessed_to_be_its_own(name: str) -> None:
    paths = [each.path for each in LAYOUTS[name].examples]
    assert best(paths) == name


def test_layouts_that_names_cannot_tell_apart_have_equal_ranks() -> None:
    first, second = guess_layout(["VID38_A1_1_00d12h00m.tif", "VID38_A1_2_00d12h00m.tif"])[:2]
    assert {first.layout.name, second.layout.name} == {"incucyte", "pyincucyte"}
    assert first.rank == second.rank


def test_real_folders_are_guessed_right() -> None:
    data = os.environ.get("SCOPEWATCH_DATA")
    if not data:
        pytest.skip("SCOPEWATCH_DATA is not set")
    vendors = Path(data) / "vendors"
    expected = {
        "cellomics": "cellomics",
        "cv8000": "yokogawa",
        "harmony": "harmony",
        "imagexpress-t": "imagexpress",
        "imagexpress-th": "imagexpress",
        "keyence": "keyence",
        "livecell": "incucyte",
        "metamorph": "metamorph",
        "scanr": "scanr",
    }
    for folder, layout in expected.items():
        images = [
            path.relative_to(vendors / folder).as_posix()
            for path in (vendors / folder).rglob("*")
            if path.suffix.lower() in {".tif", ".tiff", ".png"}
        ]
        assert best(images) == layout, folder
    by_vendor = defaultdict(list)
    with (vendors / "names.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            by_vendor[row["vendor"]].append(row["path"])
    for vendor, paths in by_vendor.items():
        assert best(paths) == ALIKE.get(vendor, vendor)


def test_a_layout_that_makes_two_files_one_frame_is_behind_one_that_does_not() -> None:
    folders = ["calcein", "annexin"]
    paths = [f"{folder}/VID1_A{well}_1_00d00h00m.tif" for folder in folders for well in range(1, 4)]
    (clashing, *_) = guess_layout(paths)
    assert (clashing.layout.name, clashing.fits, clashing.clashes) == ("incucyte", 6, 6)
    (clean, *_) = guess_layout(paths[:3])
    assert clean.clashes == 0
    assert clean.rank < clashing.rank


def test_what_is_never_a_frame_counts_as_explained() -> None:
    (guess, *_) = guess_layout(
        ["P_E07_s1_w1.tif", "P_E07_s1_w1_thumb.tif", "P_E07_s2_w1.tif", "holiday.tif"]
    )
    assert (guess.layout.name, guess.fits, guess.left_out) == ("imagexpress", 2, 1)
    assert guess.share == pytest.approx(0.75)


def test_names_that_no_layout_reads_give_no_guess() -> None:
    assert guess_layout(["IMG 2031.tif", "holiday.png"]) == []
    assert guess_layout([]) == []


@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_names_break_the_guessing(paths: list[str]) -> None:
    for guess in guess_layout(paths):
        assert 0 < guess.share <= 1
        assert guess.names == len(set(paths))
