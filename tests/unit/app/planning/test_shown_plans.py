"""`scopewatch plan` shows configurations, lists and plans alike, and refuses impossible ones."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from scopewatch.app.planning.picture import Circle, Words, picture_plan
from scopewatch.app.planning.shown import show_plan
from scopewatch.cli.main import run
from scopewatch.config.small_file import read_small_file
from scopewatch.sources.micromanager.plans import settled
from tests.unit.sources.micromanager.pos_lists import Marked, version_2

PLATE: dict[str, Any] = {
    "type": "96-well",
    "centres_um": {"A1": [1200, -400], "H12": [100_200, -63_400]},
    "wells": ["A1:B3"],
    "sites": {"columns": 2, "spacing_um": 1200},
}
PHASE = {"group": "Channel", "preset": "Phase", "exposure_ms": 20}


def write_config(folder: Path, *sources: dict[str, Any]) -> Path:
    path = folder / "config.yaml"
    made = [
        {"kind": "micromanager", "mode": "acquire", "path": "images", "backend": "java", **each}
        for each in sources
    ]
    content = {"experiment": {"name": "run 8"}, "model": {"bundle": "m"}, "sources": made}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_list(folder: Path, *labels: str) -> Path:
    path = folder / "list.pos"
    positions = [
        Marked(label, {"XY": (9000 * index, 0)}, z_stage="") for index, label in enumerate(labels)
    ]
    path.write_text(version_2(positions), encoding="utf-8")
    return path


def plan(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["plan", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = write_list(tmp_path, "A1", "A2")
    config = write_config(tmp_path, {"plan": str(listed)})
    read: list[Path] = []

    def reading(path: Path, *rest: Any) -> str:
        read.append(path)
        return read_small_file(path, *rest)

    monkeypatch.setattr(settled, "read_small_file", reading)
    for read_by in (None, config):
        read.clear()
        assert show_plan(listed, read_by, None, {}).counted == "2 positions in 2 wells"
        assert read == [listed]
    read.clear()
    show_plan(config, None, None, {})
    assert read == [config, listed]


def test_a_plate_is_drawn_listed_and_projected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, {"plate": PLATE, "channels": [PHASE], "interval_s": 600})
    code, out, err = plan(capsys, path, "--frame-px", "1000x1000", "--time-points", 10)
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[:7] == [
        f"{path}: 96-well, A1 at (1200.0, -400.0) um, rotated by 0.00 degrees, y falls from row to"
        " row; 2 sites in each well",
        "12 positions in 6 wells",
        "",
        "       1   2   3",
        "   A   2   2   2",
        "   B   2   2   2",
        "",
    ]
    assert lines[8:10] == [
        "    1  A1_0000          A1        0       600.0      -400.0",
        "    2  A1_0001          A1        1      1800.0      -400.0",
    ]
    assert "   12  B1_0001          B1        1      1800.0     -9400.0" in lines
    # 6 x 1.2 mm within wells, 2 x 7.8 mm along rows (2 x 10.2 mm from the right), down and back.
    assert lines[-5:-2] == [
        "stage      12 moves over 61 mm take 8.5 s for each time point (at 10 mm/s, 0.2 s to"
        " settle)",
        "time point 11 s of 10 min: travel 8.5 s, focus 0.0 s, exposures 0.2 s, presets, readout,"
        " disk 1.8 s (0.15 s an image)",
        "run        10 time points of 12 images, 1 h 30 min",
    ]
    assert lines[-2].startswith(
        "disk       240.5 MB: 1000 x 1000 px, 16 bit (projection.frame_px); "
    )
    assert lines[-1] == "light      Phase: 20 ms x 10 = 0.2 s on each site"


def test_what_takes_longer_than_its_interval_ends_with_1_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, {"plate": PLATE, "interval_s": 9})
    code, out, err = plan(capsys, path)
    assert code == 1
    assert "12 positions in 6 wells" in out
    (line,) = err.splitlines()
    assert line.startswith("a time point takes longer than the interval")
    assert plan(capsys, path, "--interval-s", 60)[0] == 0
    assert plan(capsys, path, "--stage-um-per-s", 1e6, "--settle-s", 0)[0] == 0


def test_what_does_not_fit_onto_its_disk_ends_with_1_once_the_size_of_images_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, {"plate": PLATE, "time_points": 10_000_000})
    assert plan(capsys, path)[0] == 0
    code, _, err = plan(capsys, path, "--frame-px", "4000x4000")
    assert code == 1
    assert err.startswith("the images of the run do not fit onto the disk")


def test_an_assumed_size_of_images_gives_a_note_of_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, {"plate": PLATE, "time_points": 10_000_000})
    _, out, err = plan(capsys, path)
    assert err == ""
    assert "note       the images of the run do not fit onto the disk: " in out


def test_every_well_of_the_largest_plate_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate = {"type": "1536-well", "centres_um": {"A1": [0, 0]}, "y_with_rows": "grows"}
    code, out, _ = plan(capsys, write_config(tmp_path, {"plate": plate}))
    assert code == 0
    assert "1536 positions in 1536 wells" in out
    assert "named otherwise" not in out
    rows = [line.split() for line in out.splitlines()[4:36]]
    assert [row[0] for row in rows][-7:] == ["Z", "AA", "AB", "AC", "AD", "AE", "AF"]
    assert all(row[1:] == ["1"] * 48 for row in rows)


def test_phases_and_seldom_channels_are_spelled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phases = [{"interval_s": 43_200, "time_points": 10}, {"interval_s": 7200, "time_points": 60}]
    gfp = {"group": "Channel", "preset": "GFP", "exposure_ms": 400, "every": "final"}
    path = write_config(tmp_path, {"plate": PLATE, "channels": [PHASE, gfp], "phases": phases})
    _, out, _ = plan(capsys, path)
    assert (
        "run        70 time points of at most 24 images (10 every 12 h, then 60 every 2 h),"
        " 9 d 22 h\n" in out
    )
    assert " of 2 h: " in out
    assert "GFP: 400 ms x 1 = 0.4 s on each site" in out


def test_a_list_by_itself_is_shown_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = plan(capsys, write_list(tmp_path, "A1-Site_0", "A2-Site_0", "control"))
    assert (code, err) == (0, "")
    assert "position list of Micro-Manager 2" in out
    assert "1 are named otherwise: control" in out
    assert "light      not known: the plan names no channel with its exposure" in out
    assert "are free" not in out


def test_a_list_is_read_for_the_source_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, {"plate": PLATE, "channels": [PHASE], "interval_s": 77})
    code, out, _ = plan(capsys, write_list(tmp_path, "B3"), "-c", config)
    assert code == 0
    assert "1 position in 1 well" in out
    assert " of 1 min 17 s: " in out
    assert "Phase: 20 ms x 20" in out


def test_one_of_several_sources_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"label": "A1", "x_um": 0, "y_um": 0}
    path = write_config(
        tmp_path,
        {"name": "left", "path": "left", "positions": [here]},
        {"name": "right", "path": "right", "positions": [here], "port": 4828},
    )
    code, _, err = plan(capsys, path)
    assert code == 2
    assert "got left, right); name one with --source" in err
    assert plan(capsys, path, "--source", "left")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.yaml"], "plan cannot be read: missing.yaml"),
        (["list.pos", "--interval-s", "-1"], "option cannot be used: interval_s"),
        (["list.pos", "--stage-um-per-s", "0"], "option cannot be used: projection.stage_um_per_s"),
        (["list.pos", "--picture", "plate.pdf"], "expected a name that ends in .png or .svg"),
        (["list.pos", "--picture", "-"], "a picture cannot go to standard output"),
        (["twice.pos"], "two positions have one label"),
    ],
)
def test_what_cannot_be_shown_ends_with_2_and_says_why(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path, "A1", "A1").rename(tmp_path / "twice.pos")
    write_list(tmp_path, "A1")
    code, _, err = plan(capsys, *arguments)
    assert code == 2
    assert expected in err


def test_json_holds_every_position_and_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, {"plate": PLATE, "channels": [PHASE], "interval_s": 9})
    code, out, _ = plan(capsys, path, "--json")
    assert code == 1
    answer = json.loads(out)
    assert len(answer["positions"]) == 12
    assert answer["positions"][1] | {"z_um": None} == {
        "label": "A1_0001",
        "x_um": 1800.0,
        "y_um": -400.0,
        "z_um": None,
        "focus_offset_um": 0.0,
        "exposures_ms": {},
        "well": "A1",
        "site": 1,
    }
    assert answer["time_point_s"] == pytest.approx(answer["travel_s"] + 0.24 + 1.8)
    assert answer["light"][0]["total_s"] == pytest.approx(0.4)
    assert len(answer["refusals"]) == 1


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("rotation_deg", [0, 180])
def test_a1_is_drawn_in_the_upper_left_whichever_way_the_stage_counts(
    tmp_path: Path, rotation_deg: float, grows: bool
) -> None:
    plate = {
        **PLATE,
        "centres_um": {"A1": [0, 0]},
        "rotation_deg": rotation_deg,
        "y_with_rows": "grows" if grows else "falls",
    }
    shown = show_plan(write_config(tmp_path, {"plate": plate}), None, None, {})
    drawn = picture_plan(shown)
    at = {each.text: (each.x, each.y) for each in drawn.shapes if isinstance(each, Words)}
    assert at["A1"][0] < at["A2"][0] < at["A3"][0]
    assert at["A1"][1] < at["B1"][1]
    rings = [each for each in drawn.shapes if isinstance(each, Circle) and each.kind == "well"]
    assert len(rings) == 6
    assert rings[0].radius * 2 == pytest.approx((at["A2"][0] - at["A1"][0]) * 6400 / 9000)
    words = [each.text for each in drawn.shapes if isinstance(each, Words)][-1]
    turned = rotation_deg == 180
    assert words.startswith(
        f"stage x {'to the left' if turned else 'to the right'},"
        f" y {'downwards' if grows != turned else 'upwards'};"
    )


def test_the_picture_is_written_as_png_and_as_svg(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, {"plate": PLATE})
    png, svg = tmp_path / "plate.png", tmp_path / "plate.svg"
    assert plan(capsys, config, "--picture", png)[0] == 0
    assert plan(capsys, config, "--picture", svg)[0] == 0
    with Image.open(png) as image:
        assert image.format == "PNG"
        size = image.size
    root = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
    assert (int(root.attrib["width"]), int(root.attrib["height"])) == size
    names = [each.tag.rpartition("}")[2] for each in root]
    assert names.count("circle") == 6 + 12
    assert names.count("polyline") == 1
