"""Files that by their names are copies of another."""

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.core.errors import FrameError
from scopewatch.sources.layouts.copies import copied_from, refuse_copy
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

STEM = "plate_A1_s0_t0003_phase"
CERTAIN = [
    "Copy of {}.tif",
    "copy (2) of {}.tif",
    "Kopie von {}.tif",
    "Copie de {}.tif",
    "\u30b3\u30d4\u30fc \uff5e {}.tif",
    "{} - Copy.tif",
    "{} - Copy (2).tif",
    "{} - Kopie.tif",
    "{} - \u30b3\u30d4\u30fc.tif",
    "{} - \u30b3\u30d4\u30fc (2).tif",
    "{}\u306e\u30b3\u30d4\u30fc.tif",
    "{} - C\u00f3pia.tif",
    "{} \u2014 \u043a\u043e\u043f\u0438\u044f.tif",
    "{} copy.tif",
    "{} copy 2.tif",
    "{}_copy.tif",
    "{} (copy).tif",
    "{} (3rd copy).tif",
    "{}.sync-conflict-20240101-123456-ABCDEFG.tif",
    "{} (conflicted copy 2024-01-01 123456).tif",
    "{} (Anna's conflicted copy 2024-01-01).tif",
    "{} (Case Conflict 1).tif",
    "{} (case clash from anna).tif",
    "{} (SFConflict anna@example.org 2024-01-01-12-00-00).tif",
    "{}_conflict-20240101-123456.tif",
    "{}_PC7_Jan-01-123456-2024_Conflict.tif",
    "{}.conflict1.tif",
    "{}~20240101-123456.tif",
    "{}.tif 2024-01-01 123456.tif",
    "{}-DESKTOP-1A2B3C4.tif",
    "{}.orig.tif",
]
NUMBERED = ["{} (1).tif", "{}(12).tif"]


def pattern(text: str = "scopewatch") -> NamePattern:
    return NamePattern(text)


@pytest.mark.parametrize("name", CERTAIN + NUMBERED)
@pytest.mark.parametrize("folder", ["", "run 7/"])
def test_a_copy_is_refused_under_the_name_of_its_original(name: str, folder: str) -> None:
    copied = copied_from(folder + name.format(STEM))
    assert copied is not None
    assert copied.original == f"{folder}{STEM}.tif"
    assert copied.certain == (name in CERTAIN)
    with pytest.raises(FrameError) as error:
        refuse_copy(folder + name.format(STEM), pattern(), identifies_itself=False)
    assert str(error.value) == (
        f"a copy of another file is never a frame: {folder}{name.format(STEM)}"
        f" (got a copy of {folder}{STEM}.tif);"
        " remove it, or give it that name where the original is gone"
    )


def test_the_suffix_of_ome_tiff_is_left_alone() -> None:
    for name in (f"{STEM} (1).ome.tif", f"{STEM}.ome (1).tif"):
        copied = copied_from(name)
        assert copied is not None
        assert copied.original == f"{STEM}.ome.tif"


def test_a_copy_of_a_copy_is_refused() -> None:
    with pytest.raises(FrameError, match="never a frame"):
        refuse_copy(f"Copy of {STEM} - Copy (2) (1).tif", pattern(), identifies_itself=False)


@pytest.mark.parametrize(
    "name",
    [
        "Plate (1)_A1_s0_t0000_phase.tif",
        "Plate (1)/Plate (1)_A1_s0_t0000_phase.tif",
        "Copy of run/plate_A1_s0_t0000_phase.tif",
        "run - Copy/plate_A1_s0_t0000_phase.tif",
        "Copyright_A1_s0_t0000_phase.tif",
        "plate_A1_s0_t0000_phase-2.tif",
        "hardcopy_A1_s0_t0000_photocopy.tif",
        "Kopie_A1_s0_t0000_phase.tif",
    ],
)
def test_a_mark_elsewhere_is_part_of_the_name(name: str) -> None:
    assert copied_from(name) is None
    refuse_copy(name, pattern(), identifies_itself=True)


def test_files_numbered_by_windows_are_frames_where_the_pattern_reads_the_number() -> None:
    numbered = pattern(r"(?P<channel>\w+)(?: \((?P<time_point>\d+)\))?\.tif$")
    for name in ("phase (1).tif", "phase (2).tif", "phase.tif"):
        refuse_copy(name, numbered, identifies_itself=False)
    with pytest.raises(FrameError, match=r"got a copy of phase\.tif"):
        refuse_copy("phase - Copy.tif", numbered, identifies_itself=False)


def test_a_numbered_file_whose_original_would_be_no_frame_is_left_to_the_pattern() -> None:
    refuse_copy("holiday (1).tif", pattern(), identifies_itself=False)
    refuse_copy("stack (1).ome.tif", pattern(), identifies_itself=True)
    with pytest.raises(FrameError, match=r"got a copy of stack\.ome\.tif"):
        refuse_copy("Copy of stack.ome.tif", pattern(), identifies_itself=True)
    refuse_copy("Copy of holiday.tif", pattern(), identifies_itself=False)


def test_a_copy_whose_time_is_no_time_point_is_a_copy_all_the_same() -> None:
    with pytest.raises(FrameError, match="never a frame"):
        refuse_copy("VID1_A1_1_00d07h00m (1).tif", pattern("incucyte"), identifies_itself=False)


@given(st.text(max_size=260))
def test_any_name_is_looked_at_quickly_and_what_is_left_is_shorter(name: str) -> None:
    copied = copied_from(name)
    assert copied is None or len(copied.original) < len(name)


def test_no_real_name_of_a_vendor_is_called_a_copy() -> None:
    data = os.environ.get("SCOPEWATCH_DATA")
    if not data:
        pytest.skip("SCOPEWATCH_DATA is not set")
    with (Path(data) / "vendors" / "names.csv").open(encoding="utf-8", newline="") as table:
        names = [row["path"] for row in csv.DictReader(table)]
    images = [path for path in Path(data).rglob("*") if path.is_file()]
    names += [path.relative_to(data).as_posix() for path in images]
    assert len(names) > 100
    assert [name for name in names if copied_from(name) is not None] == []


@pytest.mark.parametrize("preset", LAYOUTS)
def test_no_preset_takes_a_frame_for_a_copy(preset: str) -> None:
    frames = [each.path for each in LAYOUTS[preset].examples if each.never is None]
    assert frames
    for frame in frames:
        refuse_copy(frame, pattern(preset), identifies_itself=False)
