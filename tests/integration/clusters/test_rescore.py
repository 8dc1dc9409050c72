"""`scopewatch rescore`: an archive under several models, completed over kills."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.app.oneshot import build
from scopewatch.app.rescoring import version
from scopewatch.app.rescoring.version import version_of
from scopewatch.cli.main import run
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ModelError
from scopewatch.core.strict_yaml import parse_yaml
from scopewatch.inference.bundle import load_bundle
from tests.integration.conftest import Save

SIDE_PX = 128
FRAMES = 96


@pytest.fixture
def raw(tmp_path: Path, phase: NDArray[np.uint16], save: Save) -> Path:
    """Return a folder of frames of two kinds of content, and a file that is none."""
    folder = tmp_path / "raw" / "plate"
    folder.mkdir(parents=True)
    for number in range(FRAMES):
        pixels = np.roll(phase, 3 * number, axis=1)[:SIDE_PX, :SIDE_PX]
        save(folder / f"P1_A{number % 8 + 1}_s0_t{number // 8:04d}_phase.tif", pixels)
    (folder / "P1_B1_s0_t0000_phase.tif").write_text("text", encoding="utf-8")
    return folder


@pytest.fixture
def recalibrated(tmp_path: Path, bundle: Path) -> Path:
    """Return the same network under a card with another threshold."""
    folder = tmp_path / "recalibrated"
    folder.mkdir()
    shutil.copy(bundle / "model.tflite", folder)
    card: Any = parse_yaml((bundle / "card.yaml").read_bytes())
    card["threshold"] = min(0.99, card["threshold"] + 0.1)
    (folder / "card.yaml").write_text(json.dumps(card), encoding="utf-8")
    return folder


def rescore(raw: Path, bundle: Path, archive: Path, *more: str) -> list[str]:
    return [
        *("rescore", str(raw), "--model", str(bundle), "--archive", str(archive)),
        *("--pattern", "scopewatch", *more),
    ]


def versions(archive: Path) -> list[Path]:
    return sorted(path.parent for path in archive.glob("*/version.json"))


def scored_now(capsys: pytest.CaptureFixture[str]) -> int:
    words = capsys.readouterr().out.splitlines()[0].split()
    return int(words[words.index("scored") - 1])


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_killed_call_goes_on_and_ends_as_if_it_had_never_been_killed(
    raw: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, mended = tmp_path / "whole.jsonl", tmp_path / "mended.jsonl"
    assert run(rescore(raw, bundle, tmp_path / "one", "--jsonl", str(whole))) == 0
    assert scored_now(capsys) == FRAMES

    archive = tmp_path / "killed"
    call = [sys.executable, "-m", "scopewatch", *rescore(raw, bundle, archive)]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not (kept := kept_in(archive)) and time.monotonic() < until:
            assert process.poll() is None, "it ended before its first commit"
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert 0 < kept <= FRAMES
    left = FRAMES - kept_in(archive)

    assert run(rescore(raw, bundle, archive, "--jsonl", str(mended), "--dask", "local:2")) == 0
    assert scored_now(capsys) == left
    assert mended.read_bytes() == whole.read_bytes()
    lines = lines_of(whole)
    assert len(lines) == FRAMES + 1
    assert {line["verdict"] for line in lines} == {"judged", "unreadable"}

    # Once more: nothing is left, and nothing changes.
    again = tmp_path / "again.jsonl"
    assert run(rescore(raw, bundle, archive, "--jsonl", str(again))) == 0
    assert scored_now(capsys) == 0
    assert again.read_bytes() == whole.read_bytes()


def kept_in(archive: Path) -> int:
    """Return how many results of judged frames a version has by now; 0 before its first commit."""
    for folder in versions(archive):
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(f"file:{folder}/results.db?mode=ro", uri=True)) as database,
        ):
            ((number,),) = database.execute("SELECT count(*) FROM frames WHERE content != ''")
            return int(number)
    return 0


def test_only_what_is_new_is_scored_and_moved_files_keep_their_results(
    raw: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], save: Save
) -> None:
    archive = tmp_path / "archive"
    assert run(rescore(raw, bundle, archive)) == 0
    capsys.readouterr()

    pixels = tifffile.imread(raw / "P1_A1_s0_t0000_phase.tif")
    save(raw / "P1_C1_s0_t0000_phase.tif", pixels)
    save(raw / "P1_A2_s0_t0000_phase.tif", np.flipud(pixels))
    os.utime(raw / "P1_A3_s0_t0000_phase.tif", (1, 1))
    assert run(rescore(raw, bundle, archive)) == 0
    assert scored_now(capsys) == 2, "one that is new, and one with other pixels"

    moved = tmp_path / "another disk" / "plate"
    moved.parent.mkdir()
    raw.rename(moved)
    lines = tmp_path / "lines.jsonl"
    assert run(rescore(moved, bundle, archive, "--jsonl", str(lines))) == 0
    assert scored_now(capsys) == 0
    found = lines_of(lines)
    assert sum(line["path"].startswith(f"{moved}/") for line in found) == FRAMES + 2
    judged = [line["key"] for line in found if line["verdict"] == "judged"]
    assert len(judged) == len(set(judged)) == FRAMES + 1, "none is left where it lay"


def test_models_stand_side_by_side_and_are_compared_well_by_well(
    raw: Path,
    bundle: Path,
    recalibrated: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = tmp_path / "archive"
    assert run(rescore(raw, bundle, archive)) == 0
    (old,) = versions(archive)
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    capsys.readouterr()

    assert run(rescore(raw, recalibrated, archive, "--against", old.name)) == 0
    output = capsys.readouterr().out
    (new,) = set(versions(archive)) - {old}
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    assert old.name.split("-")[0] == new.name.split("-")[0], "the network is the same"
    report = json.loads((new / f"against-{old.name}.json").read_text(encoding="utf-8"))
    assert report["overall"]["frames"] == FRAMES
    assert report["overall"]["bias"] < 0, "fewer tiles reach a higher threshold"
    assert report["overall"]["mae"] >= abs(report["overall"]["bias"])
    assert [well["well"] for well in report["wells"]] == [f"A{number}" for number in range(1, 9)]
    assert f"new minus {old.name}, in points of efficiency:" in output
    assert f"r {report['overall']['r']:.3f}, {FRAMES} frames" in output


def test_another_runtime_makes_another_version(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_bundle(bundle)
    source = FolderSourceConfig(kind="folder", path=bundle)
    here = version_of(loaded, source, RunConfig(name="rescore"))
    assert here.runtime == f"litert {package_version('ai-edge-litert')}"
    monkeypatch.setattr(version, "runtime_version", lambda _runtime: "9.9")
    newer = version_of(loaded, source, RunConfig(name="rescore"))
    assert (newer.runtime, newer.name == here.name) == ("litert 9.9", False)


def test_a_version_that_is_not_there_is_named_with_those_that_are(
    raw: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "archive"
    assert run(rescore(raw / "P1_A1_s0_t0000_phase.tif", bundle, archive, "--against", "f00")) == 2
    (folder,) = versions(archive)
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"archive has no such version: --against f00 (expected one of {folder.name}); name one of"
        " them, an export (.csv), or lines of score (.jsonl)"
    )


def test_other_options_make_another_version_and_are_named(
    raw: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, frame = tmp_path / "archive", raw / "P1_A1_s0_t0000_phase.tif"
    assert run(rescore(frame, bundle, archive)) == 0
    (first,) = versions(archive)
    assert run(rescore(frame, bundle, archive, "--um-per-px", "1.01")) == 0
    assert len(versions(archive)) == 2
    assert f"{first.name} has results of this model that were read by other" in (
        capsys.readouterr().err
    )


def test_a_result_is_never_taken_from_another_file_of_the_same_frame(
    bundle: Path,
    tmp_path: Path,
    phase: NDArray[np.uint16],
    save: Save,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive, lines = tmp_path / "archive", tmp_path / "lines.jsonl"
    name = "P1_A1_s0_t0000_phase.tif"
    first, second = tmp_path / "1" / "plate", tmp_path / "2" / "plate"
    for folder, pixels in ((first, phase[:256, :256]), (second, phase[256:, 256:])):
        folder.mkdir(parents=True)
        save(folder / name, pixels)
        assert run(rescore(folder, bundle, archive)) == 0
    os.utime(second / name, (1, 1))
    assert run(rescore(second, bundle, archive, "--jsonl", str(lines))) == 0
    old, new = lines_of(lines)
    assert (old["path"], new["path"]) == (f"{first / name}", f"{second / name}")
    assert old["key"] == new["key"]
    assert old["measures"] != new["measures"]
    capsys.readouterr()

    # Which of both is meant nobody knows: they are named, and not compared.
    (kept,) = versions(archive)
    assert run(rescore(second, bundle, archive, "--against", kept.name)) == 0
    shown = capsys.readouterr()
    assert f"1 frames have results of several files whose pixels differ, such as {old['key']}" in (
        shown.err
    )
    assert "nothing to compare" in shown.out


def test_stains_are_drawn_for_results_that_have_none(
    raw: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, frame = tmp_path / "archive", raw / "P1_A1_s0_t0000_phase.tif"
    counts = []
    for more in ((), ("--stains",), ("--stains",)):
        assert run(rescore(frame, bundle, archive, *more)) == 0
        counts.append(scored_now(capsys))
    assert counts == [1, 1, 0]
    assert len(list(archive.glob("*/stains/**/*.jpg"))) == 1


def test_an_archive_lies_in_the_folder_of_its_name_whatever_that_holds(
    raw: Path, bundle: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "scores #1 of 100%25?"
    assert run(rescore(raw / "P1_A1_s0_t0000_phase.tif", bundle, archive)) == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("scores")] == [
        archive.name
    ]
    assert len(list(archive.glob("*/results.db"))) == 1


def test_a_frame_that_memory_was_too_small_for_is_tried_again(
    raw: Path,
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ModelError("frame does not fit the memory budget even in strips")

    frame, judged = raw / "P1_A1_s0_t0000_phase.tif", []
    for too_small in (True, False):
        with monkeypatch.context() as patched:
            if too_small:
                patched.setattr(build, "analyse", refuse)
            assert run(rescore(frame, bundle, tmp_path / "archive")) == 0
        judged.append(capsys.readouterr().out.splitlines()[0].partition(": ")[2])
    assert judged == [
        "0 of 1 frames judged, 0 scored now",
        "1 of 1 frames judged, 1 scored now",
    ]
