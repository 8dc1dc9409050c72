"""A time-lapse and what its wells came to mean the same wells of runs not trained on."""

from dataclasses import replace
from pathlib import Path

import pytest
import tifffile

from scopewatch.core.errors import ConfigError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.known_frames import KnownFrame, KnownFrames
from scopewatch_training.dataset.looks import MARK_VERSION
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.forecasting.frame_scores import hash_frame, load_frame
from scopewatch_training.forecasting.matching import (
    check_ends,
    check_timelapse,
    hash_ends,
    refuse_exchanged_wells,
)
from scopewatch_training.forecasting.timelapse import TimedFrame
from tests.unit.core.samples import make_cells
from tests.unit.inference.bundles import write_tiny
from tests.unit.training_bundle.hashed_data import teach, write_hashed

TABLE, ENDS = Path("timelapse.csv"), Path("truth.csv")


def timed(folder: Path, well: str, time_point: int, seed: int, run: str = "run1") -> TimedFrame:
    """Write a frame whose picture follows from `seed`."""
    path = folder / f"{run}-{well}-{time_point}.tif"
    tifffile.imwrite(path, make_cells(128, 128, seed=seed))
    return TimedFrame(
        run=run,
        plate="P1",
        well=well,
        site=0,
        time_point=time_point,
        day=time_point / 2,
        phase=path,
        um_per_px=1.0,
    )


@pytest.fixture
def frames(tmp_path: Path) -> list[TimedFrame]:
    """Two wells at two time points each."""
    return [
        timed(tmp_path, well, time_point, 10 * column + time_point)
        for column, well in enumerate(("A1", "A2"), start=1)
        for time_point in (0, 4)
    ]


@pytest.mark.parametrize(
    "place",
    [("run1", "P1", "A01"), ("run1", "P1", "a1"), ("Run 1", "P1", "A1"), ("run1", "p01", "A1")],
)
def test_another_spelling_of_a_well_is_refused(
    frames: list[TimedFrame], place: tuple[str, str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_timelapse(frames, {place: 0.5}, TABLE, ENDS)

    assert str(caught.value).startswith(
        "wells of the time-lapse and of the final efficiencies are spelled otherwise: truth.csv"
        f" and timelapse.csv (expected one spelling of run, plate and well in both, got"
        f" {'/'.join(place)} and run1/P1/A1)"
    )


def test_wells_without_a_frame_are_counted(frames: list[TimedFrame]) -> None:
    finals = {("run1", "P1", well): 0.5 for well in ("A1", "A2", "B1", "B2", "B3", "B4")}

    (line,) = check_timelapse(frames, finals, TABLE, ENDS)

    assert line.startswith(
        "wells with a final efficiency are not in the time-lapse, and left out: timelapse.csv (got"
        " 4 of 6: run1/P1/B1, run1/P1/B2, run1/P1/B3 and 1 more)"
    )


def test_wells_that_fit_are_not_mentioned_nor_those_whose_end_is_unknown(
    frames: list[TimedFrame],
) -> None:
    assert check_timelapse(frames, {("run1", "P1", "A1"): 0.5}, TABLE, ENDS) == []


def test_days_that_are_hours_are_named(frames: list[TimedFrame]) -> None:
    hours = [replace(frame, day=60 * frame.time_point) for frame in frames]

    (line,) = check_timelapse(hours, {("run1", "P1", "A1"): 0.5}, TABLE, ENDS)

    assert "days of the time-lapse are implausible: timelapse.csv" in line
    assert "got day 240" in line


def stained(folder: Path, frames: list[TimedFrame], wells: list[str]) -> Dataset:
    """Return a data set of run1 in which wells have the last pictures of the time-lapse."""
    made = write_hashed(folder, runs={"run1": "march"}, wells=2)
    ends = [frame for frame in frames if frame.time_point == 4]
    pairs = []
    for pair, frame, well in zip(made.accepted, ends, wells, strict=True):
        known = hash_frame(frame, load_frame(frame))
        look = replace(pair.phase_look, sha256=known.phase, mark=known.mark)
        pairs.append(replace(pair, well=well, plate="P1", phase_look=look))
    return replace(made, pairs=tuple(pairs))


def test_exchanged_wells_are_refused(frames: list[TimedFrame], tmp_path: Path) -> None:
    dataset = stained(tmp_path / "data", frames, ["A2", "A1"])

    with pytest.raises(ConfigError) as caught:
        refuse_exchanged_wells(hash_ends(frames), dataset, TABLE)

    assert "wells of the time-lapse are called otherwise than those of the data set" in str(
        caught.value
    )
    assert "got run1/P1/A1/s0/t0004 is run1/P1/A2/" in str(caught.value)


def test_wells_with_their_own_pictures_are_not_refused(
    frames: list[TimedFrame], tmp_path: Path
) -> None:
    right = stained(tmp_path / "data", frames, ["A1", "A2"])
    refuse_exchanged_wells(hash_ends(frames), right, TABLE)
    other = write_hashed(tmp_path / "others", runs={"run1": "march"}, wells=2)
    refuse_exchanged_wells(hash_ends(frames), other, TABLE)
    without_hashes = replace(stained(tmp_path / "old", frames, ["A2", "A1"]), mark_version=0)
    refuse_exchanged_wells(hash_ends(frames), without_hashes, TABLE)
    assert [each.frame for each in hash_ends(frames)] == [
        "run1/P1/A1/s0/t0004",
        "run1/P1/A2/s0/t0004",
    ]


def test_a_training_run_under_another_name_is_found_by_its_last_frames(
    frames: list[TimedFrame], tmp_path: Path
) -> None:
    march = [
        each.model_copy(update={"run": "march", "frame": f"march/{number}"})
        for number, each in enumerate(hash_ends(frames))
    ]
    known = KnownFrames(mark_version=MARK_VERSION, frames=tuple[KnownFrame, ...](march))
    folder = write_tiny(tmp_path / "bundle")
    (folder / "report").mkdir()
    bundle = load_bundle(teach(folder, known))

    found = check_ends(bundle, hash_ends(frames))

    assert [(each.run, each.known_run) for each in found.copies] == [("run1", "march")] * 2
