"""`scopewatch score` as a user runs it."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.integration.conftest import Save

SCORE = (sys.executable, "-m", "scopewatch", "score")


def score(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; return its exit status, its result lines and its standard error."""
    done = subprocess.run(
        [*SCORE, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_folder_is_scored_with_a_line_and_a_stain_per_frame(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    frames, out = tmp_path / "plate", tmp_path / "stains"
    frames.mkdir()
    save(frames / "P1_A1_s0_t0020_phase.tif", phase)
    save(frames / "P1_A1_s0_t0020_gfp.tif", phase)
    (frames / "P1_A2_s0_t0020_phase.tif").write_text("text", encoding="utf-8")
    tifffile.imwrite(
        frames / "A3.ome.tif",
        np.stack([phase, np.flipud(phase)]),
        ome=True,
        metadata={"axes": "TYX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0},
    )
    status, lines, errors = score(frames, "--model", bundle, "--out", out)
    assert status == 0, errors
    assert [(line["key"], line["verdict"]) for line in lines] == [
        ("plate/plate/A3/s0/t0000/phase", "judged"),
        ("plate/plate/A3/s0/t0001/phase", "judged"),
        ("plate/P1/A1/s0/t0020/gfp", "not-scored"),
        ("plate/P1/A1/s0/t0020/phase", "judged"),
        ("plate/P1/A2/s0/t0020/phase", "unreadable"),
    ]
    judged = lines[3]
    assert 0 <= judged["low"] <= judged["efficiency"] <= judged["high"] <= 1
    assert (judged["height_px"], judged["width_px"], judged["um_per_px"]) == (512, 512, 1.0)
    assert set(judged["timings_ms"]) == {"load", "normalise", "score", "analyse", "draw"}
    with Image.open(out / judged["overlay"]) as picture:
        assert picture.width >= 512
    assert tifffile.imread(out / judged["stain"]).shape == (512, 512)
    assert errors.strip().endswith(f"3 of 5 frames judged; stains in {out}")
    assert {path.name for path in frames.iterdir()} == {
        "P1_A1_s0_t0020_phase.tif",
        "P1_A1_s0_t0020_gfp.tif",
        "P1_A2_s0_t0020_phase.tif",
        "A3.ome.tif",
    }


def test_lines_can_go_to_a_file(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    save(tmp_path / "a.tif", phase)
    lines = tmp_path / "out" / "lines.jsonl"
    status, printed, errors = score(
        tmp_path / "a.tif", "--model", bundle, "--jsonl", lines, "--um-per-px", "1.0"
    )
    assert (status, printed) == (0, []), errors
    (line,) = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
    assert line["verdict"] == "judged"


def test_frames_without_a_pixel_size_are_counted_in_one_line_unless_it_is_stated(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16]
) -> None:
    for well in ("A1", "A2"):
        tifffile.imwrite(tmp_path / f"P1_{well}_s0_t0000_phase.tif", phase)
    status, lines, errors = score(tmp_path, "--model", bundle)
    assert (status, [line["um_per_px"] for line in lines]) == (0, [None, None])
    assert errors.splitlines()[-1] == (
        "scale unchecked: 2 frames do not state their pixel size, and the model expects 1 um/px;"
        " state it with --um-per-px"
    )
    assert "scale unchecked" not in score(tmp_path, "--model", bundle, "--um-per-px", "1")[2]


def test_when_nothing_can_be_judged_the_exit_code_is_1(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "a.tif").write_text("text", encoding="utf-8")
    status, lines, errors = score(tmp_path, "--model", bundle)
    assert status == 1
    assert [line["verdict"] for line in lines] == ["unreadable"]
    assert errors.strip().endswith("0 of 1 frames judged")


def test_a_folder_without_images_is_reported(tmp_path: Path, bundle: Path) -> None:
    status, lines, errors = score(tmp_path, "--model", bundle)
    assert (status, lines) == (1, [])
    assert f"no image found: {tmp_path}; " in errors


def test_a_model_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    status, _, errors = score(tmp_path, "--model", tmp_path / "none")
    assert status == 2
    assert errors.startswith("model bundle does not exist: ")
    assert len(errors.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_on_a_terminal_it_shows_how_many_there_are_and_how_long_it_takes(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    stack = np.stack([phase[:64, :64], phase[64:128, 64:128]])
    for number in range(3):
        save(tmp_path / f"P1_A{number + 1}_s0_t0000_phase.tif", phase[:64, :64])
    tifffile.imwrite(
        tmp_path / "A9.ome.tif",
        stack,
        ome=True,
        metadata={"axes": "TYX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0},
    )
    ours, theirs = os.openpty()
    with (
        open(ours, "rb", buffering=0) as screen,  # noqa: PTH123 - a descriptor
        subprocess.Popen(
            [*SCORE, str(tmp_path), "--model", str(bundle)],
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        # Linux raises this when the last writer has closed its end.
        with suppress(OSError):
            while piece := screen.read(4096):
                shown += piece
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "counting" in text
    assert "0/5 frames, gone 0:00:00 left" in text, "the total is known before the first"
    assert "5/5 frames" in text
    assert "5 of 5 frames judged" in text


def test_settings_of_a_source_are_taken_as_options(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    save(tmp_path / "XY07_ch6_T0003.tif", phase)
    name = r"(?P<position>XY\d+)_(?P<channel_code>ch\d+)_T(?P<time_point>\d+)"
    status, (line,), errors = score(
        *(tmp_path, "--model", bundle, "--pattern", name),
        *("--counts-from", "time_point=1", "--channel-names", "ch6=phase", "--wells", "XY07=B3"),
    )
    assert status == 0, errors
    assert line["key"].endswith("/B3/s0/t0002/phase")
    assert line["verdict"] == "judged"


def test_a_layout_that_reads_every_name_is_taken_and_reported(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    for day in range(2):
        save(tmp_path / f"H9_Phase_B3_1_{day:02d}d00h00m.tif", phase)
    status, lines, errors = score(tmp_path, "--model", bundle, "--interval-h", 24)
    assert status == 0, errors
    assert [(line["well"], line["time_point"], line["verdict"]) for line in lines] == [
        ("B3", 0, "judged"),
        ("B3", 1, "judged"),
    ]
    assert errors.splitlines()[0] == "names are read as: incucyte; --pattern reads them otherwise"


def test_names_that_no_layout_reads_as_a_whole_are_wells_of_their_own(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save
) -> None:
    for name in ("H9_Phase_B3_1_00d00h00m.tif", "what I saw.tif"):
        save(tmp_path / name, phase)
    status, lines, errors = score(tmp_path, "--model", bundle)
    assert status == 0, errors
    assert {line["well"] for line in lines} == {"H9_Phase_B3_1_00d00h00m", "what I saw"}
    assert {line["verdict"] for line in lines} == {"judged"}
