"""`scopewatch score` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.integration.conftest import Save

SCORE = (sys.executable, "-m", "scopewatch", "score")


def score(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; return its exit status, its lines and what it says."""
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
    status, lines, said = score(frames, "--model", bundle, "--out", out)
    assert status == 0, said
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
    assert said.strip().endswith(f"3 of 5 frames judged; stains in {out}")
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
    status, printed, said = score(
        tmp_path / "a.tif", "--model", bundle, "--jsonl", lines, "--um-per-px", "1.0"
    )
    assert (status, printed) == (0, []), said
    (line,) = map(json.loads, lines.read_text(encoding="utf-8").splitlines())
    assert line["verdict"] == "judged"


def test_when_nothing_can_be_judged_the_exit_code_is_1(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "a.tif").write_text("text", encoding="utf-8")
    status, lines, said = score(tmp_path, "--model", bundle)
    assert status == 1
    assert [line["verdict"] for line in lines] == ["unreadable"]
    assert said.strip().endswith("0 of 1 frames judged")


def test_a_folder_without_images_is_told(tmp_path: Path, bundle: Path) -> None:
    status, lines, said = score(tmp_path, "--model", bundle)
    assert (status, lines) == (1, [])
    assert f"no image found: {tmp_path}; " in said


def test_a_model_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    status, _, said = score(tmp_path, "--model", tmp_path / "none")
    assert status == 2
    assert said.startswith("model bundle does not exist: ")
    assert len(said.splitlines()) == 1
