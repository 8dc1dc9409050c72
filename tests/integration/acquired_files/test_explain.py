"""`scopewatch explain` and `scopewatch init` as a user runs them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.config import load_config
from scopewatch.config.sources import FolderSourceConfig

SCOPEWATCH = (sys.executable, "-m", "scopewatch")


def run(*arguments: object, folder: Path | None = None) -> tuple[int, str, str]:
    """Run a command; return its exit status, what it prints, and its complaints."""
    done = subprocess.run(
        [*SCOPEWATCH, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def write(folder: Path, names: Sequence[str], um_per_px: float | None = 1.0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    density = None if um_per_px is None else (1e4 / um_per_px, 1e4 / um_per_px)
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(
            folder / name,
            np.full((32, 32), number + 1, np.uint16),
            resolution=density,
            resolutionunit="CENTIMETER",
            metadata=None,
        )


def incucyte(wells: Sequence[str], points: int, every_h: int = 6) -> list[str]:
    return [
        f"{kind}/VID1630_{well}_{site}_{hours // 24:02d}d{hours % 24:02d}h03m.tif"
        for kind in ("phase", "green")
        for well in wells
        for site in (1, 2)
        for hours in range(0, points * every_h, every_h)
    ]


def test_explain_guesses_the_layout_and_names_the_origin_of_each_fact(tmp_path: Path) -> None:
    write(tmp_path / "run8", incucyte(["A1", "B3"], 3))
    status, text, complaints = run("explain", tmp_path / "run8", "--interval-h", 6)
    assert (status, complaints) == (0, "")
    assert "names are read as: incucyte" in text
    assert "24 frames, 12 of the channel that is scored" in text
    assert "    well        A1, B3                             file name (incucyte)" in text
    assert "    um/px       1                                  TIFF tags" in text


def test_explain_prints_json_for_programs(tmp_path: Path) -> None:
    write(tmp_path / "run8", incucyte(["A1"], 2))
    status, text, _ = run("explain", tmp_path / "run8", "--interval-h", 6, "--json")
    (explanation,) = json.loads(text)
    assert status == 0
    assert (explanation["pattern"], explanation["frames"], explanation["scored"]) == (
        "incucyte",
        8,
        4,
    )
    assert explanation["cases"][0]["who"]["time_point"] == "file name (incucyte)"


def test_explain_fails_where_nothing_is_a_frame(tmp_path: Path) -> None:
    write(tmp_path, ["holiday 1.tif", "holiday 2.tif"])
    status, text, _ = run("explain", tmp_path)
    assert status == 1
    assert "2 files skipped, the first holiday 1.tif" in text


def test_explain_complains_of_a_path_that_is_not_there(tmp_path: Path) -> None:
    status, _, complaints = run("explain", tmp_path / "gone")
    assert status == 2
    assert complaints == f"there is no such file or folder: {tmp_path / 'gone'}; correct the path\n"


def test_init_writes_a_configuration_that_reads_the_files(tmp_path: Path) -> None:
    write(tmp_path / "run8", incucyte(["A1", "D6"], 5))
    status, text, complaints = run("init", "run8", "--yes", folder=tmp_path)
    assert status == 0, text + complaints
    assert "interval          6 h (median gap between the times in names)" in text
    assert "phase channel     phase (by its name)" in text
    assert "plate             24 wells (the smallest plate with D6)" in text
    assert "fields of view    2 per well" in text
    config = load_config(tmp_path / "config.yaml")
    (source,) = config.sources
    assert isinstance(source, FolderSourceConfig)
    assert (source.pattern, source.path) == ("incucyte", tmp_path / "run8")
    settings = config.experiment
    assert (settings.interval_h, settings.sites_per_well) == (6, 2)
    status, text, _ = run("explain", "-c", "config.yaml", folder=tmp_path)
    assert status == 0
    assert "40 frames, 20 of the channel that is scored" in text


def test_init_never_writes_over_a_configuration_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "run8", incucyte(["A1"], 2))
    (tmp_path / "config.yaml").write_text("mine: true\n", encoding="utf-8")
    status, _, complaints = run("init", "run8", "--yes", folder=tmp_path)
    assert status == 2
    assert complaints.startswith("configuration is there already: config.yaml; name another")
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == "mine: true\n"
    status, text, _ = run("init", "run8", "--yes", "--force", folder=tmp_path)
    assert status == 0, text


def test_init_says_what_it_could_not_guess(tmp_path: Path) -> None:
    fields = [f"Image_T000{t}_XY01_0000{site}" for t in (1, 2) for site in (1, 2)]
    write(tmp_path / "run8", [f"{field}_CH{c}.tif" for field in fields for c in (1, 4)])
    status, text, _ = run("init", "run8", "--yes", folder=tmp_path)
    assert status == 1
    assert "not known: phase_channel; a default is written, correct it or give --channel" in text
    assert "fields of view    2 per well" in text
    assert "FAIL  files of microscope: no frame is of the channel that is scored" in text
    status, text, _ = run(
        "init", "run8", "--yes", "--force", "--channel", "CH4", "--interval-h", 6, folder=tmp_path
    )
    assert status == 0, text


def test_init_complains_of_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "run8").mkdir()
    status, _, complaints = run("init", "run8", "--yes", folder=tmp_path)
    assert status == 2
    assert complaints.startswith("folder holds no image yet: run8 (expected TIFF, PNG or JPEG")
    assert not (tmp_path / "config.yaml").exists()


@pytest.mark.parametrize(
    ("folder", "pattern", "frames"),
    [("livecell", "incucyte", 3), ("keyence", "keyence", 4), ("imagexpress-t", "imagexpress", 4)],
)
def test_explain_reads_real_exports(
    real_data: Path, folder: str, pattern: str, frames: int
) -> None:
    status, text, _ = run("explain", real_data / "vendors" / folder, "--interval-h", 4, "--json")
    (explanation,) = json.loads(text)
    assert (status, explanation["pattern"], explanation["frames"]) == (0, pattern, frames)


def test_settings_of_a_source_that_are_given_are_obeyed_and_written_down(tmp_path: Path) -> None:
    name = r"(?P<position>XY\d+)_(?P<channel_code>ch\d+)_T(?P<time_point>\d+)"
    folder = tmp_path / "in"
    write(folder, [f"XY0{well}_ch6_T000{time}.tif" for well in (1, 2) for time in (1, 2, 3)])
    given = (
        *("--pattern", name, "--counts-from", "time_point=1", "--channel-names", "ch6=phase"),
        *("--wells", "XY01=A1,XY02=B2", "--channel", "phase", "--interval-h", 6),
    )
    status, out, _ = run("explain", folder, *given, "--json")
    assert status == 0
    (explained,) = json.loads(out)
    assert explained["frames"] == 6
    values = explained["cases"][0]["values"]
    assert values["time_point"] == ["0", "1", "2"]
    assert values["channel"] == ["phase"]
    assert sorted({well for case in explained["cases"] for well in case["values"]["well"]}) == [
        "A1",
        "B2",
    ]
    _, out, err = run("init", folder, *given, "--yes", "--out", tmp_path / "c.yaml")
    (source,) = load_config(tmp_path / "c.yaml").sources
    assert isinstance(source, FolderSourceConfig), out + err
    assert source.counts_from == {"time_point": 1}
    assert source.channel_names == {"ch6": "phase"}
    assert source.wells == {"XY01": "A1", "XY02": "B2"}


def test_a_position_pattern_that_is_given_is_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, incucyte(["A1"], 3))
    given = r"W(?P<well>[A-H]\d+)"
    run("init", folder, "--yes", "--position", given, "--out", tmp_path / "c.yaml")
    (source,) = load_config(tmp_path / "c.yaml").sources
    assert source.position == given
