"""Wrong manifests: each gives one line with problem, place and remedy, and exit status 2."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scopewatch_training.cli.main import main
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_data.pair_files import (
    make_field,
    write_field,
    write_manifest,
    write_plane,
)

Rows = list[dict[str, str]]


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    """Return (exit code, stdout, stderr) of a call."""
    code: object = 0
    try:
        main([str(each) for each in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """Return the one line with which `prepare` refuses folder/m.csv."""
    code, _, err = call(capsys, "prepare", folder / "m.csv", "--out", folder / "out")
    assert code == 2
    assert err.count("\n") == 1
    assert not (folder / "out" / "dataset.json").exists()
    return err.strip()


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Return the rows of two good pairs."""
    return [write_field(tmp_path, "r1", site, make_field(site)) for site in range(2)]


def cut_fluorescence(folder: Path, rows: Rows) -> None:
    for index, row in enumerate(rows):
        write_plane(folder / row["fluorescence"], make_field(index).fluorescence[:, :128])


def without_signal(folder: Path, rows: Rows) -> None:
    rows[1]["fluorescence"] = "r1/nowhere.tif"


def misspell(folder: Path, rows: Rows) -> None:
    for row in rows:
        row["um_per_pixel"] = "0.65"


def scale_of_zero(folder: Path, rows: Rows) -> None:
    for row in rows:
        row["um_per_px"] = "0.65"
    rows[1]["um_per_px"] = "0"


def two_scales(folder: Path, rows: Rows) -> None:
    for row, scale in zip(rows, ("0.65", "1.3"), strict=True):
        row["um_per_px"] = scale


def repeat(folder: Path, rows: Rows) -> None:
    rows.append(dict(rows[0]))


SPOILT = {
    without_signal: "fluorescence picture is missing: {m} line 3 (expected {d}/r1/nowhere.tif); ",
    cut_fluorescence: (
        "no pair of the manifest can be used: {d}/out (got 2 refused, the first: fluorescence does"
        " not cover the field of its phase frame: {d}/r1/fluorescence0.tif"
        " (expected the proportions of 256 x 256 px, got 256 x 128 px); "
    ),
    misspell: "manifest has an unknown column 'um_per_pixel': {m} (expected ",
    scale_of_zero: "um_per_px is not a number: {m} line 3 (expected a number above 0, got '0'); ",
    two_scales: (
        "pairs differ in their pixel size: r1/P1/A2/s0/t0000 (expected 0.65 um/px, as the first"
        " pair, got 1.3 um/px); correct column um_per_px where it is of another objective"
    ),
    repeat: "pair is listed more than once: {m}, r1/P1/A1/s0/t0000 (expected one row,"
    " got 2 rows); ",
}


@pytest.mark.parametrize(("spoil", "line"), SPOILT.items())
def test_a_wrong_manifest_is_refused_in_one_line(
    spoil: Callable[[Path, Rows], None],
    line: str,
    rows: Rows,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(tmp_path, rows)
    write_manifest(tmp_path / "m.csv", rows)

    assert refused(capsys, tmp_path).startswith(line.format(m=tmp_path / "m.csv", d=tmp_path))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "manifest has no column run, well, "),
        (b"dear all, see the plates\n", "manifest has no column run, well, "),
        (b"run,plate,well,site,time_point,phase,fluorescence\n", "manifest has no pair: "),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "manifest cannot be read: "),
        (b'run,plate,well,site,time_point,phase,fluorescence\nr1,"P1,A1', "manifest is not CSV: "),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_in_one_line(
    content: bytes, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.csv").write_bytes(content)

    assert refused(capsys, tmp_path).startswith(line)


def test_a_manifest_that_is_missing_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, tmp_path)

    assert line == (
        f"manifest cannot be read: {tmp_path / 'm.csv'} (got No such file or directory);"
        " give the path of a CSV file"
    )


def test_a_pair_that_is_refused_is_named_in_one_line_and_the_others_stay(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_fluorescence(tmp_path, rows[:1])
    write_manifest(tmp_path / "m.csv", rows)

    code, out, _ = call(capsys, "prepare", tmp_path / "m.csv", "--out", tmp_path / "out", "--no-qc")

    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("refused ")]
    assert line.startswith("refused r1/P1/A1/s0/t0000: fluorescence does not cover the field")
    assert line.endswith("export both channels uncropped")
    assert "1 of 2 pairs ready" in out


def test_one_run_cannot_be_cross_validated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", runs=1)

    code, _, err = call(capsys, "cross-validate", data)

    assert code == 2
    assert err == (
        f"too few runs to hold one out: {data} (expected at least 2 runs, got run1); add pairs of"
        " another differentiation run, or name what is a run in `run`\n"
    )


@pytest.mark.training
def test_runs_without_a_positive_pixel_are_not_fitted(tmp_path: Path) -> None:
    rows = [
        write_field(tmp_path, run, site, make_field(10 * index + site, share=0.0))
        for index, run in enumerate(("r1", "r2"))
        for site in range(2)
    ]
    write_manifest(tmp_path / "m.csv", rows)
    out = tmp_path / "out"
    with pytest.raises(SystemExit, match="0"):
        main(["prepare", str(tmp_path / "m.csv"), "--out", str(out), "--no-qc"])
    command = ["fit", str(out), "--out", str(tmp_path / "bundle")]

    done = subprocess.run(
        [sys.executable, "-m", "scopewatch_training", *command],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == (
        f"training runs hold no positive tile: {out} (expected fluorescence well above"
        " the camera's noise, got 4 frames without); check the fluorescence images, or choose"
        " another binarisation\n"
    )
    assert np.load(next((out / "signals").iterdir())).shape == (256, 256)
