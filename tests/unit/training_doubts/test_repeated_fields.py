"""Fields that are in a data set several times, augmented or filled down; runs that are wells."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.bundle.known_frames import know_frame
from scopewatch_training.bundle.training_copies import find_among
from scopewatch_training.dataset.checks.copies import NEAR, find_copies, nearness, unpack
from scopewatch_training.dataset.checks.names import find_split_runs
from scopewatch_training.dataset.doubts import DoubtKind, Weight
from scopewatch_training.dataset.looks import look_at
from scopewatch_training.dataset.pairs.record import Pair
from tests.unit.training_data.pair_files import make_field

pytestmark = pytest.mark.training

Change = Callable[[Pixels], Any]
ORIENTATIONS: dict[str, Change] = {
    "mirrored": np.fliplr,
    "upside down": np.flipud,
    "turned by 90 degrees": np.rot90,
    "turned by 180 degrees": lambda pixels: np.rot90(pixels, 2),
    "turned by 270 degrees": lambda pixels: np.rot90(pixels, 3),
    "transposed": np.transpose,
    "turned and mirrored": lambda pixels: np.fliplr(np.rot90(pixels)),
}


def picture(seed: int) -> Pixels:
    return np.clip(make_field(seed).phase, 0, 65535).astype(np.uint16)


def glow(seed: int) -> Pixels:
    return np.clip(make_field(seed).fluorescence, 0, 65535).astype(np.uint16)


def pair(run: str, well: str, phase: Pixels, fluorescence: Pixels, folder: str = "data") -> Pair:
    looks = look_at(phase), look_at(fluorescence)
    return Pair(
        id=f"{run}-{well}", run=run, plate="P1", well=well, site=0, time_point=0, day=None,
        phase=f"{folder}/{run}-{well}.tif", fluorescence="f.tif", phase_look=looks[0],
        fluorescence_look=looks[1], source_sha256=looks[0].sha256 + looks[1].sha256,
    )  # fmt: skip


@pytest.mark.parametrize("change", ORIENTATIONS.values(), ids=ORIENTATIONS.keys())
def test_a_field_that_was_augmented_is_found_in_another_run_and_among_training_frames(
    change: Change,
) -> None:
    first = pair("a", "A1", picture(1), glow(1))
    again = pair("b", "B7", change(picture(1) // 32).astype(np.uint8), change(glow(1)))

    (found,) = find_copies([first, again])
    assert (found.kind, found.weight, found.run) == (DoubtKind.NEAR_COPY, Weight.STOP, "b")
    assert (
        found.measured == "1 of its pairs are in run a too, as b/P1/B7/s0/t0000 is a/P1/A1/s0/t0000"
    )
    assert "mirrored or turned" in found.do
    (copy,) = find_among([know_frame(first)], [know_frame(again)])
    assert (copy.known_run, copy.same_pixels) == ("a", False)


def test_other_fields_are_near_at_no_orientation() -> None:
    marks = unpack([look_at(picture(seed)).mark for seed in range(24)])
    apart = np.stack([nearness(marks, mark) for mark in marks])
    assert apart[~np.eye(24, dtype=bool)].min() > 1.3 * NEAR


def test_a_picture_without_structure_is_near_to_none() -> None:
    marks = unpack([look_at(picture(1)).mark, ""])
    assert nearness(marks, marks[1]).tolist() == [0.5, 0.5]
    assert nearness(marks[:0], marks[0]).size == 0


@pytest.mark.parametrize(
    ("phase", "fluorescence", "alone", "do"),
    [
        (2, 1, "fluorescence", "a path was copied down"),
        (1, 2, "phase frame", "of two exposures or markers"),
    ],
    ids=["a path of the fluorescence was filled down", "two exposures of one field"],
)
def test_pairs_that_share_one_of_their_pictures_say_which(
    phase: int, fluorescence: int, alone: str, do: str
) -> None:
    first = pair("a", "A1", picture(1), glow(1))
    (found,) = find_copies([first, pair("a", "A2", picture(phase), glow(fluorescence))])
    assert found.measured == f"a/P1/A2/s0/t0000 and a/P1/A1/s0/t0000, by their {alone} alone"
    assert do in found.do
    (whole,) = find_copies([first, replace(first, id="2", well="A2")])
    assert whole.measured == "a/P1/A2/s0/t0000 and a/P1/A1/s0/t0000"


def runs_of(wells: list[str], folder: str = "data") -> list[Pair]:
    blank = np.zeros((64, 64), dtype=np.uint16)
    return [
        pair(f"hes{number}", well, blank, blank, folder.format(number))
        for number, well in enumerate(wells, start=3)
    ]


def test_a_run_whose_name_was_counted_up_down_the_table_is_named() -> None:
    (found,) = find_split_runs(runs_of(["A1", "A2", "A3", "A4", "A5"]))
    assert (found.kind, found.weight) == (DoubtKind.SPLIT_RUN, Weight.LOOK)
    assert found.measured == (
        "5 runs of one well each, all on plate P1: hes3 (A1), hes4 (A2), hes5 (A3), hes6 (A4), ..."
    )


@pytest.mark.parametrize(
    "pairs",
    [
        runs_of(["A1", "A1", "A1"]),
        runs_of(["A1", "A2"]),
        runs_of(["A1", "A2", "A3"], "run{}"),
        [replace(each, plate=each.run) for each in runs_of(["A1", "A2", "A3"])],
        [*runs_of(["A1", "A2", "A3"]), *runs_of(["A2", "A3", "A4"])],
    ],
    ids=["one well in all", "two runs", "a folder each", "a plate each", "two wells each"],
)
def test_runs_of_their_own_are_not(pairs: list[Pair]) -> None:
    assert find_split_runs(pairs) == []
