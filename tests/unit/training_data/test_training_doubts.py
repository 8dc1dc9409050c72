import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.imaging.histogram import BINS
from scopewatch_simulator.plan import Regime
from scopewatch_simulator.simulation import Simulation
from scopewatch_training.dataset.checks.copies import NEAR, find_copies
from scopewatch_training.dataset.checks.find import find_doubts
from scopewatch_training.dataset.checks.names import fold_name
from scopewatch_training.dataset.doubts import WHAT, Doubt, DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.looks import Look, look_at, mark_distance, role_score
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.process import process_row
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import Plane, make_field, write_plane


def doubt(weight: Weight = Weight.LOOK, pair: str | None = "a.tif") -> Doubt:
    return Doubt(
        kind=DoubtKind.OFFSET, weight=weight, run="r1", pair=pair, measured="9 px",
        expected="within 3 px", do="look at both pictures",
    )  # fmt: skip


def pair(run: str, plate: str = "P1", well: str = "A1") -> Pair:
    return Pair(
        id=f"{run}-{plate}-{well}", run=run, plate=plate, well=well, site=0, time_point=0,
        day=None, phase=f"{run}{plate}{well}.tif", fluorescence="f.tif",
        histogram=np.zeros(BINS, dtype=np.int64),
    )  # fmt: skip


def test_a_doubt_is_one_line_that_says_what_where_and_what_to_do() -> None:
    assert doubt().line == (
        "offset is far from that of the run's other pairs: run r1, a.tif"
        " (expected within 3 px, got 9 px); look at both pictures"
    )
    assert "run r1 (expected" in doubt(pair=None).line


def test_a_doubt_of_an_image_in_a_data_set_names_its_well_not_its_place_in_the_file() -> None:
    image = "scan/NDTiffStack.tif#at=[525646,256,256,2,656718,96]@525646:eb4eb930"
    where = "plate P1, well B3, site 0, time point 4"
    assert replace(doubt(pair=image), place=where).line.startswith(
        f"{WHAT[DoubtKind.OFFSET]}: run r1, {where}, scan/NDTiffStack.tif (expected"
    )


def test_a_doubt_comes_back_from_json_as_it_was() -> None:
    assert Doubt.from_json(json.loads(json.dumps(doubt().to_json()))) == doubt()


def test_every_kind_has_its_words() -> None:
    assert set(WHAT) == set(DoubtKind)


def test_the_gravest_doubt_decides_and_notes_are_good_to_train() -> None:
    assert verdict([]) is Verdict.GOOD
    assert verdict([doubt(Weight.NOTE)]) is Verdict.GOOD
    assert verdict([doubt(Weight.NOTE), doubt(Weight.LOOK)]) is Verdict.LOOK
    assert verdict([doubt(Weight.STOP), doubt(Weight.LOOK)]) is Verdict.STOP


@pytest.mark.parametrize(
    ("first", "second", "measured"),
    [
        (pair("Run1"), pair("run1"), "runs Run1 and run1"),
        (pair("r1"), pair("r01"), "runs r01 and r1"),
        (pair("a", "P1"), pair("a", "p01"), "plates P1 and p01"),
        (pair("a", well="A1"), pair("a", well="A01"), "wells A01 and A1"),
    ],
)
def test_names_that_differ_in_case_or_zeros_are_named(
    first: Pair, second: Pair, measured: str
) -> None:
    found = [each for each in find_doubts([first, second]) if each.kind is DoubtKind.TWIN_NAMES]
    assert [each.measured for each in found] == [measured]


def test_names_that_differ_otherwise_are_no_twins() -> None:
    assert fold_name("A10") != fold_name("A1")
    names = [pair("a"), pair("b"), pair("a", "P2"), pair("a", well="A10"), pair("a", well="A2")]
    assert find_doubts(names) == ()


def test_one_run_alone_is_noted() -> None:
    (only,) = find_doubts([pair("a"), pair("a", well="B1")])
    assert (only.kind, only.weight) == (DoubtKind.ONE_RUN, Weight.NOTE)


def with_looks(
    run: str, site: int, *, phase: Look, shift: float = 0.0, score: float | None = 2.0
) -> Pair:
    return replace(
        pair(run, well=f"B{site + 1}"), phase_look=phase, offset_px=(shift, 0.0),
        registration_confidence=0.9, role_score=score,
        fluorescence_look=Look(sha256=f"{run}{site}"),
    )  # fmt: skip


def clean(run: str, seed: int) -> list[Pair]:
    return [
        with_looks(run, site, phase=look_at(counts(make_field(seed + site).phase)), shift=1.0)
        for site in range(5)
    ]


def counts(plane: Plane) -> NDArray[np.uint16]:
    return np.clip(plane, 0, 65535).astype(np.uint16)


def kinds(pairs: list[Pair]) -> list[DoubtKind]:
    return [each.kind for each in find_doubts(pairs) if each.weight > Weight.NOTE]


def test_clean_runs_give_no_warning() -> None:
    assert kinds([*clean("a", 0), *clean("b", 50)]) == []


def test_a_run_that_is_there_again_in_8_bits_is_found_under_its_other_name() -> None:
    first = clean("a", 0)
    again = [
        with_looks("b", site, shift=1.0, phase=look_at(
            (counts(make_field(site).phase) // 32).astype(np.uint8)))
        for site in range(5)
    ]  # fmt: skip
    (found,) = [each for each in find_doubts([*first, *again]) if each.weight is Weight.STOP]
    assert (found.kind, found.run) == (DoubtKind.NEAR_COPY, "b")
    assert found.measured.startswith("5 of its pairs are in run a too")


def test_a_copy_in_8_bits_whose_bright_debris_is_burnt_out_is_near() -> None:
    phase = counts(make_field(3).phase)
    for top, left in ((20, 180), (90, 60), (200, 30)):
        phase[top : top + 8, left : left + 8] = 60_000
    low, high = np.percentile(phase, (1, 99))
    burnt = np.clip((phase - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    assert mark_distance(look_at(phase).mark, look_at(burnt).mark) < NEAR / 2


def test_an_exact_copy_within_a_run_is_named() -> None:
    pairs = clean("a", 0)
    (found,) = find_copies([*pairs, replace(pairs[0], well="C1", phase="copy.tif")])
    assert (found.kind, found.pair) == (DoubtKind.COPY, "copy.tif")


def test_two_fields_without_any_fluorescence_are_no_copies() -> None:
    blank = look_at(np.zeros((256, 256), dtype=np.uint8))
    assert find_copies([replace(each, fluorescence_look=blank) for each in clean("a", 0)]) == []


def test_two_time_points_of_a_field_that_look_alike_are_no_copies() -> None:
    first = clean("a", 0)[0]
    later = replace(
        first, time_point=1, phase_look=replace(first.phase_look, sha256="later"),
        fluorescence_look=Look(sha256="later too"),
    )  # fmt: skip
    assert find_copies([first, later]) == []


def test_swapped_pictures_have_a_role_score_below_the_limit() -> None:
    field = make_field(1)
    phase, glow = look_at(counts(field.phase)), look_at(counts(field.fluorescence))
    score = role_score(phase, glow)
    assert score is not None
    assert score > 0.9
    swapped = with_looks("a", 0, phase=glow, score=role_score(glow, phase))
    assert kinds([swapped]) == [DoubtKind.SWAPPED]


def test_early_frames_with_debris_and_no_marker_yet_are_not_called_swapped() -> None:
    simulation = Simulation(seed=2, regime=Regime.BROAD, size_px=192)
    phase, dim, glow = (
        look_at(take(0, 1, 0, time_point))
        for take, time_point in (
            (simulation.frame, 0), (simulation.marker_frame, 0), (simulation.marker_frame, 20),
        )
    )  # fmt: skip
    # Bright debris on bare ground, as fluorescence looks; what is in its place is noise.
    assert phase.skewness > 3
    assert dim.grain < 0.5
    assert glow.grain > 1.5
    assert role_score(phase, dim) is None


def test_a_pair_far_from_its_runs_offset_is_named() -> None:
    pairs = clean("a", 0)
    assert kinds([*pairs[:4], replace(pairs[4], offset_px=(6.0, 0.0))]) == [DoubtKind.OFFSET]


def test_a_run_whose_offsets_scatter_is_named() -> None:
    pairs = [replace(each, offset_px=(6.0 * at, 0.0)) for at, each in enumerate(clean("a", 0))]
    assert kinds(pairs) == [DoubtKind.OFFSET]


def test_clipped_fluorescence_is_measured_and_a_mask_is_not_clipped() -> None:
    glow = counts(make_field(1).fluorescence)
    assert look_at(glow).clipped == 0
    cut = np.minimum(glow, 800).astype(np.uint16)
    assert look_at(cut).clipped == pytest.approx(float(np.mean(glow >= 800)))
    mask = np.where(glow > 500, 255, 0).astype(np.uint8)
    assert look_at(mask).clipped == 0
    assert kinds([replace(pair("a"), fluorescence_look=look_at(cut))]) == [DoubtKind.CLIPPED]


@pytest.mark.parametrize("scale", [650.0, 0.00065])
def test_an_implausible_pixel_size_is_named(scale: float) -> None:
    assert kinds([replace(pair("a"), um_per_px=scale)]) == [DoubtKind.SCALE]


def test_two_columns_with_the_same_picture_are_refused(tmp_path: Path) -> None:
    for name in ("views", "signals", "pairs"):
        (tmp_path / name).mkdir()
    write_plane(tmp_path / "one.tif", make_field(0).phase)
    ref = PictureRef(path=tmp_path / "one.tif")
    row = PairRow(run="a", plate="P1", well="A1", site=0, time_point=0, phase=ref, fluorescence=ref)
    refused = process_row(row, tmp_path, PrepareSettings()).pair.refused
    assert refused is not None
    assert "phase and fluorescence are the same picture: a/P1/A1/s0/t0000" in refused
    assert "#page=1" in refused
