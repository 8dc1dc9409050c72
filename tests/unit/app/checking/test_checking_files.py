"""`check` reads the files of a source as the daemon will; files that do not fit fail it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.app.checking.files import check_files
from scopewatch.app.checking.finding import Finding
from scopewatch.config import Config
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.shipped import SHIPPED, bundled_model

CARD = load_bundle(bundled_model(SHIPPED)).card


def write(path: Path, um_per_px: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    density = 1e4 / um_per_px
    tifffile.imwrite(
        path,
        np.full((24, 32), 7, np.uint16),
        resolution=(density, density),
        resolutionunit="CENTIMETER",
        metadata=None,
    )


def check(folder: Path, **source: object) -> list[Finding]:
    config = Config.model_validate(
        {
            "experiment": {"name": "HES7"},
            "model": {"bundle": "model"},
            "sources": [{"kind": "folder", "path": folder} | source],
            "state": {"folder": folder / "state"},
        }
    )
    return list(check_files(config.sources[0], config, CARD))


def marked(findings: list[Finding]) -> list[tuple[str, str]]:
    marks = ["FAIL" if each.failed else "note" if each.advice else "ok" for each in findings]
    return [(mark, each.text) for mark, each in zip(marks, findings, strict=True)]


def test_an_empty_folder_says_nothing(tmp_path: Path) -> None:
    assert check(tmp_path) == []
    assert check(tmp_path / "gone") == []


def test_frames_that_will_be_scored_are_counted(tmp_path: Path) -> None:
    for channel in ("phase", "gfp"):
        write(tmp_path / f"P1_A1_s0_t0000_{channel}.tif")
    assert marked(check(tmp_path)) == [("ok", "2 frames, 1 of the channel that is scored")]


def test_a_pattern_that_no_file_fits_fails(tmp_path: Path) -> None:
    write(tmp_path / "P1_A1_s0_t0000_phase.tif")
    ((mark, text),) = marked(check(tmp_path, pattern="keyence"))
    assert mark == "FAIL"
    assert text.startswith(f"none of the files is a frame: {tmp_path} (got 1 files, the first:")
    assert text.endswith(
        "correct `pattern` of the source; `scopewatch explain` shows how each is read"
    )


def test_a_channel_that_no_file_has_fails(tmp_path: Path) -> None:
    for point in range(3):
        write(tmp_path / f"P1_A1_s0_t000{point}_PH.tif")
    assert marked(check(tmp_path)) == [
        (
            "FAIL",
            f"no frame is of the channel that is scored: {tmp_path} (expected phase_channel"
            " 'phase', got 3 of PH); set experiment.phase_channel, or channel_names of the source",
        )
    ]
    assert marked(check(tmp_path, channel_names={"PH": "phase"})) == [
        ("ok", "3 frames, 3 of the channel that is scored")
    ]


def test_two_files_of_one_frame_fail(tmp_path: Path) -> None:
    for folder in ("day 1", "day 2"):
        write(tmp_path / folder / "P1_A1_s0_t0000_phase.tif")
    ((mark, text),) = marked(check(tmp_path))
    assert mark == "FAIL"
    assert text.startswith("two files are the same frame: HES7/P1/A1/s0/t0000/phase (got day 1/P1")


def test_files_that_are_skipped_are_noted_with_the_first_reason(tmp_path: Path) -> None:
    write(tmp_path / "P1_A1_s0_t0000_phase.tif")
    (tmp_path / "P1_A2_s0_t0000_phase.tif").write_bytes(b"")
    ok, note = marked(check(tmp_path))
    assert ok == ("ok", "1 frames, 1 of the channel that is scored")
    assert note[0] == "note"
    assert note[1].startswith("1 files are skipped, the first: image file is empty")


def test_frames_without_a_pixel_size_are_noted_where_the_model_has_one(tmp_path: Path) -> None:
    path = tmp_path / "P1_A1_s0_t0000_phase.tif"
    tifffile.imwrite(path, np.full((24, 32), 7, np.uint16), metadata=None)
    assert marked(check(tmp_path))[1] == (
        "note",
        f"1 frames do not say their pixel size, so that the model's {CARD.um_per_px:g} um/px is not"
        " checked; set um_per_px of the source",
    )
    assert len(check(tmp_path, um_per_px=1)) == 1


@pytest.mark.parametrize("pattern", ["(", "nothing"])
def test_a_wrong_pattern_is_reported_by_the_check_of_the_source(
    tmp_path: Path, pattern: str
) -> None:
    write(tmp_path / "P1_A1_s0_t0000_phase.tif")
    assert check(tmp_path, pattern=pattern) == []
