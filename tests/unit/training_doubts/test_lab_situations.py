"""Ordinary mistakes of a lab with its pictures and names are named, and where they are."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from scopewatch_training.dataset.checks.coarseness import find_odd_coarseness
from scopewatch_training.dataset.checks.measures import find_other_scales
from scopewatch_training.dataset.checks.names import find_split_runs, find_twin_names
from scopewatch_training.dataset.checks.odd_runs import find_odd_days
from scopewatch_training.dataset.checks.refusals import find_few, find_many_refused
from scopewatch_training.dataset.doubts import DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.pairs.brightness import measure_brightness
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import Field, Plane, make_field
from tests.unit.training_doubts.changed_runs import Change, prepare_runs

pytestmark = pytest.mark.training


def fluorescence(field: Field, plane: Plane) -> Field:
    return replace(field, fluorescence=np.asarray(plane, dtype=np.float32))


def noise(field: Field, site: int, level: float) -> Plane:
    drawn = np.random.default_rng(site).normal(level, 5, field.phase.shape)
    return np.asarray(drawn, dtype=np.float32)


def probability(field: Field, _: int) -> Field:
    glow = ndimage.gaussian_filter(field.fluorescence, 1)
    return fluorescence(field, np.rint(255 / (1 + np.exp((600 - glow) / 20))))


def with_scale_bar(field: Field, _: int) -> Field:
    drawn = field.fluorescence.copy()
    drawn[230:238, 150:240] = 65535
    return fluorescence(field, drawn)


def phase_with_scale_bar(field: Field, _: int) -> Field:
    drawn = field.phase.copy()
    drawn[230:238, 150:240] = 65535
    return replace(field, phase=drawn)


def with_white_gaps(field: Field, _: int) -> Field:
    tiled = field.fluorescence.copy()
    tiled[120:136] = tiled[:, 120:136] = 65535
    return fluorescence(field, tiled)


def in_a_window(field: Field, _: int) -> Field:
    shown = np.pad(field.phase[:-12, 10:-10], ((12, 0), (10, 10)), constant_values=6000)
    return replace(field, phase=shown)


def outlined(field: Field, _: int) -> Field:
    regions = ndimage.binary_dilation(field.glowing, iterations=2)
    return fluorescence(field, 255 * (regions & ~ndimage.binary_erosion(regions)))


def with_times(field: Field, site: int) -> Field:
    drawn = field.fluorescence.copy()
    drawn[8:16:2, 7 : 60 + 9 * site] = 65535
    return fluorescence(field, drawn)


def with_outlines(field: Field, _: int) -> Field:
    regions = ndimage.binary_dilation(field.glowing, iterations=3)
    lines = regions & ~ndimage.binary_erosion(regions)
    return fluorescence(field, np.where(lines, 65535, field.fluorescence))


def merged_in_grey(field: Field, site: int) -> Field:
    glow = field.fluorescence + 3 * noise(field, site, 0)
    shown = np.rint(field.phase / 32 + np.clip(glow / 8 - 20, 0, 120))
    return replace(
        fluorescence(field, glow), phase=np.asarray(np.clip(shown, 0, 255), dtype=np.float32)
    )


def without_background(field: Field, _: int) -> Field:
    return fluorescence(field, np.clip(field.fluorescence - 150, 0, None))


def exposed_shorter(field: Field, site: int) -> Field:
    dark, times = 100, 0.25 if site == 3 else 1
    return fluorescence(field, dark + times * (field.fluorescence - dark))


SITUATIONS: dict[str, tuple[Change, DoubtKind, str, Weight]] = {
    "a look-up table was inverted": (
        lambda field, _: fluorescence(field, 4000 - field.fluorescence),
        DoubtKind.INVERTED_MARKER,
        "dark things on a bright ground in 2 of 2 pairs: P1/A1/s0, P1/A2/s0",
        Weight.STOP,
    ),
    "the lamp of the phase contrast was on": (
        lambda field, _: fluorescence(
            field, field.fluorescence + 0.3 * ndimage.gaussian_filter(field.phase, 1.5)
        ),
        DoubtKind.SEE_THROUGH,
        "a correlation of up to",
        Weight.LOOK,
    ),
    "the shutter stayed closed for a well": (
        lambda field, site: field if site else fluorescence(field, noise(field, site, 60)),
        DoubtKind.BLANK,
        "60 counts in 1 of 2 pairs: P1/A1/s0",
        Weight.LOOK,
    ),
    "probability maps in 8 bits in place of pictures": (
        probability,
        DoubtKind.CUT_OFF,
        "94% of the pixels at the lowest and 4.9% at the highest count, in 2 of 2 pairs",
        Weight.LOOK,
    ),
    "a scale bar was exported with the pictures": (
        with_scale_bar,
        DoubtKind.DRAWN,
        "the highest count at the same place, rows 230 to 237, columns 150 to 239, in 2 of 2",
        Weight.LOOK,
    ),
    "a scale bar was exported with the phase frames": (
        phase_with_scale_bar,
        DoubtKind.DRAWN_PHASE,
        "the highest count at the same place, rows 230 to 237, columns 150 to 239, in 2 of 2",
        Weight.LOOK,
    ),
    "times of unequal length are written on the pictures": (
        with_times,
        DoubtKind.DRAWN,
        "the highest count at the same place, rows 8 to 14, columns 7 to 59, in 2 of 2 pairs",
        Weight.LOOK,
    ),
    "regions were drawn over the pictures": (
        with_outlines,
        DoubtKind.DRAWN,
        "thin lines at the highest count, in 2 of 2 pairs",
        Weight.LOOK,
    ),
    "a mosaic has white gaps": (
        with_white_gaps,
        DoubtKind.DRAWN,
        "the highest count at the same place, rows 0 to 255, columns 0 to 255, in 2 of 2 pairs",
        Weight.LOOK,
    ),
    "phase frames were saved with the window about them": (
        in_a_window,
        DoubtKind.BORDER,
        "2 of 2 pairs, r3/P1/A1/s0/t0000: 12.1% of a picture is a border of one grey value",
        Weight.LOOK,
    ),
    "regions were drawn and not filled": (
        outlined,
        DoubtKind.OUTLINES,
        "thin lines that enclose 2.",
        Weight.LOOK,
    ),
    "the fluorescence was cropped alike on all sides": (
        lambda field, _: fluorescence(field, field.fluorescence[8:248, 8:248]),
        DoubtKind.UNRELATED,
        "2 of 2 pairs, r3/P1/A1/s0/t0000 with 240 x 240 px taken for a binning of the 256 x 256 px",
        Weight.LOOK,
    ),
    "phase frames are merged pictures in grey": (
        merged_in_grey,
        DoubtKind.MERGED,
        "a correlation of 0.",
        Weight.STOP,
    ),
    "a background was subtracted and cut at 0": (
        without_background,
        DoubtKind.FLOOR,
        "up to 66% of the pixels at the lowest count, in 2 of 2 pairs",
        Weight.LOOK,
    ),
    "a well has no reporter": (
        lambda field, site: field if site else fluorescence(field, noise(field, site, 140)),
        DoubtKind.BLANK,
        "nothing above the camera's noise in 1 of 2 pairs: P1/A1/s0",
        Weight.NOTE,
    ),
}


@pytest.mark.parametrize(
    ("change", "kind", "measured", "weight"), SITUATIONS.values(), ids=SITUATIONS.keys()
)
def test_a_run_with_wrong_light_is_named_and_no_other(
    change: Change, kind: DoubtKind, measured: str, weight: Weight, tmp_path: Path
) -> None:
    doubts = prepare_runs(tmp_path, change).doubts
    assert {each.run for each in doubts} == {"r3"}
    (found,) = [each for each in doubts if each.kind is kind]
    assert found.weight is weight
    assert found.measured.startswith(measured)
    assert verdict(doubts) is {
        Weight.STOP: Verdict.STOP, Weight.LOOK: Verdict.LOOK, Weight.NOTE: Verdict.GOOD
    }[weight]  # fmt: skip


def test_a_pair_that_was_exposed_unlike_its_run_is_named(tmp_path: Path) -> None:
    (found,) = prepare_runs(tmp_path, exposed_shorter, wells=5).doubts
    assert (found.kind, found.run, found.weight) == (DoubtKind.EXPOSURE, "r3", Weight.LOOK)
    assert found.measured.startswith("1 of 5 pairs with cells")
    assert re.search(r"P1/A4/s0: 0\.2[0-9]*$", found.measured)


def test_pairs_that_do_not_fit_are_named_though_nothing_is_registered(tmp_path: Path) -> None:
    def change(field: Field, site: int) -> Field:
        return fluorescence(field, make_field(900 + site).fluorescence)

    made = prepare_runs(tmp_path, change, PrepareSettings(register=False))
    (found,) = made.doubts
    assert (found.kind, found.run) == (DoubtKind.UNRELATED, "r3")
    assert found.measured == "2 of 2 pairs, r3/P1/A1/s0/t0000 fits at no shift"
    assert verdict(made.doubts) is Verdict.STOP


def test_pairs_that_lie_apart_are_named_though_nothing_is_registered(tmp_path: Path) -> None:
    def change(field: Field, _: int) -> Field:
        return fluorescence(field, ndimage.shift(field.fluorescence, (6, 0), mode="nearest"))

    (found,) = prepare_runs(tmp_path, change, PrepareSettings(register=False)).doubts
    assert found.measured.startswith("2 of 2 pairs, r3/P1/A1/s0/t0000 fits 5.9 px beside it")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("steps", [1.0, 16.0], ids=["16 bits", "8 bits"])
def test_noise_rises_with_brightness_and_falls_in_an_inverted_picture(
    share: float, steps: float
) -> None:
    plane = make_field(5, cells=300, share=share).fluorescence
    kind = np.uint8 if steps > 1 else np.uint16
    picture = np.clip(plane / steps, 0, 255 if steps > 1 else 65535).astype(kind)
    rise = measure_brightness(picture).noise_rise
    fall = measure_brightness(picture.max() - picture).noise_rise
    assert rise is not None
    assert fall is not None
    assert rise > 0.5
    assert fall < -0.5


def test_noise_of_a_picture_without_range_is_not_judged() -> None:
    assert measure_brightness(np.zeros((128, 128), dtype=np.uint16)).noise_rise is None


def test_masks_of_which_most_is_positive_are_named_as_perhaps_inverted(tmp_path: Path) -> None:
    def change(field: Field, _: int) -> Field:
        return fluorescence(field, np.where(field.glowing, 0, 255))

    (found,) = prepare_runs(tmp_path, change).doubts
    assert (found.kind, found.run, found.weight) == (DoubtKind.MASK, "r3", Weight.LOOK)
    assert "of their area positive" in found.measured


@pytest.mark.parametrize(
    ("wells", "weight"),
    [
        (["a/A1"], Weight.STOP),
        (["a/A1", "b/A1", "c/A1"], Weight.LOOK),
        (["a/A1", "a/A2", "b/A1", "b/A2"], None),
    ],
)
def test_data_sets_of_few_wells_are_named(wells: Sequence[str], weight: Weight | None) -> None:
    found = find_few([pair(*each.split("/")) for each in wells])
    assert [each.weight for each in found] == ([] if weight is None else [weight])


def out_of_focus(field: Field, _: int) -> Field:
    return replace(field, phase=ndimage.gaussian_filter(field.phase, 2.5))


def test_a_run_whose_phase_frames_are_out_of_focus_is_named(tmp_path: Path) -> None:
    doubts = prepare_runs(tmp_path, out_of_focus, PrepareSettings(register=False)).doubts
    (found,) = [each for each in doubts if each.kind is DoubtKind.COARSENESS]
    assert (found.run, found.weight) == ("r3", Weight.LOOK)
    assert found.measured.startswith("coarser structure")


@pytest.mark.parametrize(
    ("fineness", "odd"),
    [((0.1, -0.1, 0.2), []), ((0.1, -0.9, 0.2), [1]), ((0.1, -0.9), [1]), ((0.1,), [])],
)
def test_runs_of_another_scale_are_named(fineness: Sequence[float], odd: Sequence[int]) -> None:
    looks = [Look(mark="0" * 64, fineness=each) for each in fineness]
    pairs = [replace(pair(f"r{at}"), phase_look=look) for at, look in enumerate(looks)]
    assert [each.run for each in find_odd_coarseness(pairs)] == [f"r{at}" for at in odd]


def test_a_crop_of_the_fluorescence_is_refused_with_what_it_was_taken_for(tmp_path: Path) -> None:
    def change(field: Field, _: int) -> Field:
        return fluorescence(field, field.fluorescence[64:192, 64:192])

    made = prepare_runs(tmp_path, change)
    reasons = [each.refused for each in made.pairs if each.run == "r3"]
    for reason in reasons:
        assert reason is not None
        assert "with 128 x 128 px taken for a binning of the 256 x 256 px" in reason


def test_dates_as_a_spreadsheet_counts_them_are_called_dates() -> None:
    (date,) = find_odd_days([replace(pair("a"), day=44998.0)])
    (hours,) = find_odd_days([replace(pair("a"), day=240.0)])
    assert date.do == "write days since the differentiation began, not dates, in column day"
    assert hours.do.endswith("not hours, in column day")


def pair(run: str, well: str = "A1", *, refused: str | None = None, ratio: float = 1.0) -> Pair:
    return Pair(
        id=f"{run}-{well}", run=run, plate="P1", well=well, site=0, time_point=0, day=None,
        phase="p.tif", fluorescence="f.tif", refused=refused, scale_ratio=ratio,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "measured"),
    [
        (("2026-03-07", "07.03.2026"), "runs 07.03.2026 and 2026-03-07"),
        (("2026-03-07", "3/7/2026"), "runs 2026-03-07 and 3/7/2026"),
        (("20260307", "2026-3-7"), "runs 2026-3-7 and 20260307"),
        (("1", "1.0"), "runs 1 and 1.0"),
        (("run 1", "run_01"), "runs run 1 and run_01"),
        (("2026-03-07", "2026-03-08"), None),
        (("1.1", "1.0"), None),
        (("99.99.2026", "2026-09-09"), None),
    ],
)
def test_runs_of_one_date_or_number_are_twins(names: Sequence[str], measured: str | None) -> None:
    found = find_twin_names([pair(name) for name in names])
    assert [each.measured for each in found] == ([] if measured is None else [measured])


@pytest.mark.parametrize(
    ("runs", "parts"),
    [
        ({"march_A1": "A1", "march_A2": "A2", "june_A1": "A1"}, ["march_A1, march_A2"]),
        ({"A01": "A1", "A02": "A2"}, ["A01, A02"]),
        ({"march day 7": "A1", "march day 10": "A1"}, ["march day 7, march day 10"]),
        ({"2026-03_plate1": "A1", "2026-03_plate2": "A1"}, ["2026-03_plate1, 2026-03_plate2"]),
        ({"plate1": "A1", "plate2": "A1"}, []),
        ({"march_p3": "A1", "march_p4": "A1"}, []),
        ({"N1": "A1", "N2": "A1", "R22": "A1", "2026-03-07": "A1"}, []),
        ({"march_A1": "A1", "june_A1": "A1"}, []),
    ],
)
def test_wells_days_and_plates_that_are_called_runs_are_named(
    runs: dict[str, str], parts: list[str]
) -> None:
    found = find_split_runs([pair(run, well) for run, well in runs.items()])
    assert [each.measured.partition(": ")[2] for each in found] == parts


@pytest.mark.parametrize(
    ("refused", "of", "named"), [(1, 4, False), (2, 4, True), (2, 9, False), (3, 12, True)]
)
def test_a_run_of_which_many_pairs_were_refused_is_named(
    refused: int, of: int, named: bool
) -> None:
    pairs = [
        pair("a", f"A{at}", refused="it cannot be registered" if at < refused else None)
        for at in range(of)
    ]
    found = find_many_refused(pairs)
    assert [each.measured for each in found] == (
        [f"{refused} of {of} refused, the first: it cannot be registered"] if named else []
    )


def test_a_pixel_size_that_contradicts_the_files_is_named() -> None:
    (found,) = find_other_scales([pair("a"), pair("b", ratio=1.54), pair("c", ratio=1.01)])
    assert (found.run, found.weight) == ("b", Weight.LOOK)
    assert found.measured == "1.54 times the size in the phase files, in 1 of 1 pairs"
