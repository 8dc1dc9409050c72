"""`manifest` writes tables from folders as instruments write them, which `prepare` then reads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from ome_writers import (
    AcquisitionSettings,
    Channel,
    Dimension,
    OmeTiffFormat,
    Plate,
    Position,
    create_stream,
)

from scopewatch.core.errors import ConfigError
from scopewatch_training.cli.main import main
from scopewatch_training.dataset.manifest import PairRow, read_manifest
from scopewatch_training.dataset.pictures import read_picture
from scopewatch_training.dataset.survey.folder import survey_runs
from scopewatch_training.dataset.survey.guesses import SurveyChoices
from scopewatch_training.forecasting.timelapse import read_timelapse
from tests.unit.sources.mmstacks import StackWriter, tags
from tests.unit.sources.ndtiffs import writing
from tests.unit.training_data.pair_files import Field, make_field, write_plane

RUNS = ("march", "april")


def counts(field: Field) -> list[NDArray[np.uint16]]:
    return [
        np.clip(plane, 0, 65535).astype(np.uint16) for plane in (field.phase, field.fluorescence)
    ]


def write_incucyte(root: Path) -> None:
    for index, run in enumerate(RUNS):
        for day in (8, 10):
            for well in ("A1", "B3"):
                field = make_field(10 * index + day, side=128)
                name = f"VID12{index}_{well}_1_{day:02d}d00h00m.tif"
                write_plane(root / run / "phase" / name, field.phase)
                if day == 10:
                    write_plane(root / run / "green" / name, field.fluorescence)


def write_micromanager(root: Path) -> None:
    """Write one image stack for each position, as Micro-Manager 2.0 writes them."""
    for index, run in enumerate(RUNS):
        for place, well in enumerate(("A1", "B3")):
            path = root / run / f"{run}_1_MMStack_{well}-Site_0.ome.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = StackWriter(path, {"Channels": 2, "ChNames": ["Phase", "FITC"]}, 400_000)
            planes = counts(make_field(10 * index + place, side=128))
            for number, (channel, plane) in enumerate(zip(("Phase", "FITC"), planes, strict=True)):
                names = {"Channel": channel, "PositionName": f"{well}-Site_0"}
                writer.add(plane, {**tags(0), **names}, last=number == 1)
            writer.close()


def write_ome_tiff(root: Path) -> None:
    """Write a plate of OME-TIFF, a file for each position, by pymmcore-plus's own writer."""
    wells = ("A1", "B3")
    for index, run in enumerate(RUNS):
        (root / run).mkdir(parents=True, exist_ok=True)
        positions: list[str | float | Channel | Position] = [
            Position(name=f"{well}_0000", plate_row=well[0], plate_column=well[1:])
            for well in wells
        ]
        settings = AcquisitionSettings(
            root_path=str(root / run / "plate.ome.tiff"),
            dimensions=(
                Dimension(name="p", type="position", coords=positions),
                Dimension(name="c", type="channel", count=2, coords=["phase", "GFP"]),
                *(Dimension(name=axis, type="space", count=128) for axis in "yx"),
            ),
            dtype="uint16",
            format=OmeTiffFormat(),
            plate=Plate(name="P", row_names=["A", "B"], column_names=["1", "2", "3"]),
        )
        with create_stream(settings) as stream:
            for place in range(len(wells)):
                for plane in counts(make_field(10 * index + place, side=128)):
                    stream.append(plane)


def write_ndtiff(root: Path) -> None:
    for index, run in enumerate(RUNS):
        with writing(root, run) as writer:
            for place, well in enumerate(("A1", "B3")):
                planes = counts(make_field(10 * index + place, side=128))
                for channel, plane in zip(("Phase", "GFP"), planes, strict=True):
                    writer.add(0, well, plane, channel=channel)


def write_plain(root: Path) -> None:
    for index, run in enumerate(RUNS):
        for place, well in enumerate(("A1", "B3")):
            field = make_field(10 * index + place, side=128)
            for channel in ("phase", "gfp"):
                plane = field.phase if channel == "phase" else field.fluorescence
                write_plane(root / run / f"P1_{well}_s0_t0020_{channel}.tif", plane)


WRITERS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "Incucyte": (write_incucyte, "phase", "green"),
    "Micro-Manager OME-TIFF": (write_micromanager, "Phase", "FITC"),
    "OME-TIFF of pymmcore-plus": (write_ome_tiff, "phase", "GFP"),
    "NDTiff": (write_ndtiff, "Phase", "GFP"),
    "plain names": (write_plain, "phase", "gfp"),
}


def make_tables(folder: Path, out: Path, *options: str) -> list[PairRow]:
    main_ends(["manifest", str(folder), "--out", str(out), *options], 0)
    return read_manifest(out / "pairs.csv")


def plain(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, without the console's line breaks."""
    return " ".join(capsys.readouterr().out.split())


def main_ends(arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code


@pytest.mark.parametrize(("write", "phase", "glow"), WRITERS.values(), ids=WRITERS.keys())
def test_a_folder_becomes_tables_without_an_option(
    tmp_path: Path,
    write: Callable[[Path], None],
    phase: str,
    glow: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "runs")
    rows = make_tables(tmp_path / "runs", tmp_path / "out")
    wells = {(row.run.removesuffix("_1"), row.well) for row in rows}
    assert wells == {(run, well) for run in RUNS for well in ("A1", "B3")}
    assert len(rows) == 4
    for row in rows:
        light, dark = read_picture(row.phase).pixels, read_picture(row.fluorescence).pixels
        assert light.mean() > 2000 > dark.mean()
    frames = read_timelapse(tmp_path / "out" / "timelapse.csv")
    assert {frame.well for frame in frames} == {"A1", "B3"}
    printed = capsys.readouterr().out
    assert f"phase channel: {phase} (" in printed
    assert f"fluorescence channel: {glow} (" in printed
    assert "pairs.csv: 4 pairs" in printed


def test_days_of_a_time_lapse_count_from_the_names(tmp_path: Path) -> None:
    write_incucyte(tmp_path / "runs")
    rows = make_tables(tmp_path / "runs", tmp_path / "out")
    assert {row.day for row in rows} == {10.0}
    frames = read_timelapse(tmp_path / "out" / "timelapse.csv")
    assert sorted({frame.day for frame in frames}) == [8.0, 10.0]
    assert len(frames) == 8


def test_a_folder_of_the_final_day_alone_is_not_of_day_0(tmp_path: Path) -> None:
    write_plain(tmp_path / "runs")
    rows = make_tables(tmp_path / "runs", tmp_path / "out")
    assert {(row.time_point, row.day) for row in rows} == {(20, 10.0)}


def write_vessels(root: Path, name: str, *, vessels: int = 3) -> None:
    """Write exports of several vessels into one folder, the final day alone."""
    for vessel in range(vessels):
        for place, well in enumerate(("A1", "B3")):
            field = make_field(10 * vessel + place, side=128)
            for channel, plane in (("phase", field.phase), ("green", field.fluorescence)):
                path = root / name.format(vessel=vessel, day=9 + vessel, well=well, channel=channel)
                write_plane(path, plane)


VESSELS = {
    "a channel before the name": "{channel}_VID{vessel}_{well}_1_{day:02d}d18h30m.tif",
    "folders of channels": "{channel}/VID{vessel}_{well}_1_{day:02d}d18h30m.tif",
    "dates": "{channel}/VID{vessel}_{well}_1_2026y05m{day:02d}d_08h46m.tif",
    "the instrument's store": "EssenFiles/ScanData/2605/{day:02d}/1124/{vessel}/{well}-1-"
    "{channel}.tif",
}


@pytest.mark.parametrize("name", VESSELS.values(), ids=VESSELS.keys())
def test_vessels_of_one_folder_are_runs_where_a_person_decides_so(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_vessels(tmp_path / "runs", name)
    rows = make_tables(tmp_path / "runs", tmp_path)
    assert {(row.run) for row in rows} in ({"runs"}, {"EssenFiles"})
    assert "has 3 plates: where each is a differentiation of its own" in plain(capsys)

    again = ("--run-per-plate", "--overwrite")
    rows = make_tables(tmp_path / "runs", tmp_path, *again)

    assert len(rows) == 6
    assert len({row.run for row in rows}) == 3
    assert all(row.run == row.plate for row in rows)
    assert "runs: each plate is a run" in plain(capsys)


def test_dates_count_from_the_first_of_each_vessel(tmp_path: Path) -> None:
    for day in (0, 7):
        name = "{channel}/VID{vessel}_{well}_1_2026y0{vessel}m" + f"{5 + day:02d}d_08h46m.tif"
        write_vessels(tmp_path / "runs", name.replace("0{vessel}m", "1{vessel}m"))
    rows = make_tables(tmp_path / "runs", tmp_path, "--run-per-plate")
    assert sorted((row.run, row.time_point, row.day) for row in rows if row.well == "A1") == [
        (f"VID{vessel}", time_point, day)
        for vessel in range(3)
        for time_point, day in ((0, 0.0), (1, 7.0))
    ]


def test_plates_of_the_same_name_keep_the_name_of_their_run(tmp_path: Path) -> None:
    for run in RUNS:
        write_vessels(tmp_path / "runs" / run, VESSELS["folders of channels"], vessels=2)
    rows = make_tables(tmp_path / "runs", tmp_path, "--run-per-plate")
    assert {row.run for row in rows} == {f"{run} VID{vessel}" for run in RUNS for vessel in (0, 1)}


def test_where_each_run_has_one_plate_nothing_is_split(tmp_path: Path) -> None:
    write_vessels(tmp_path / "runs" / "march", VESSELS["folders of channels"], vessels=1)
    with pytest.raises(ConfigError, match=r"no run has several plates.*VID0 in march.*leave out"):
        survey_runs(tmp_path / "runs", SurveyChoices(run_per_plate=True))


def test_a_first_time_point_alone_is_of_no_known_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ndtiff(tmp_path / "runs")
    rows = make_tables(tmp_path / "runs", tmp_path)
    assert {row.day for row in rows} == {None}
    printed = plain(capsys)
    assert "0 to 0" not in printed
    assert "um/px: some files do not state it" not in printed


def test_a_pixel_size_that_no_file_states_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_vessels(tmp_path / "runs", VESSELS["folders of channels"])
    make_tables(tmp_path / "runs", tmp_path)
    assert "um/px: some files do not state it; where you know it, write it in" in plain(capsys)


def test_tables_that_a_person_may_have_corrected_are_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plain(tmp_path / "runs")
    make_tables(tmp_path / "runs", tmp_path)
    main_ends(["manifest", str(tmp_path / "runs"), "--out", str(tmp_path)], 2)
    assert capsys.readouterr().err.startswith("table is there already: ")
    make_tables(tmp_path / "runs", tmp_path, "--overwrite")


def test_a_spreadsheet_is_checked_and_written_plainly(tmp_path: Path) -> None:
    write_plane(tmp_path / "p.tif", make_field(1, side=128).phase)
    write_plane(tmp_path / "f.tif", make_field(1, side=128).fluorescence)
    sheet = tmp_path / "sheet.csv"
    head = "RUN;Plate;Well;Site;Time_Point;Phase;Fluorescence;um_per_px\r\n"
    sheet.write_bytes((head + "März;P1;A1;0;0;p.tif;f.tif;0,65\r\n").encode("cp1252"))
    (row,) = make_tables(sheet, tmp_path / "out")
    assert (row.run, row.um_per_px) == ("März", 0.65)


def test_a_table_in_another_folder_than_its_spreadsheet_finds_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_plain(Path("runs"))
    lines = ["run;well;phase;fluorescence"]
    for run in RUNS:
        for well in ("A1", "B3"):
            names = (f"{run}\\P1_{well}_s0_t0020_{channel}.tif" for channel in ("phase", "gfp"))
            lines.append(";".join((run, well, *names)))
    (tmp_path / "runs" / "sheet.csv").write_bytes("\r\n".join(lines).encode("utf-16"))

    main_ends(["manifest", "runs/sheet.csv", "--out", "tables"], 0)

    assert "next: scopewatch-train prepare tables/pairs.csv --out dataset" in plain(capsys)
    rows = read_manifest(Path("tables/pairs.csv"))
    assert [(row.run, row.well) for row in rows] == [(r, w) for r in RUNS for w in ("A1", "B3")]
    assert all(each.is_there for row in rows for each in row.pictures)


@pytest.mark.parametrize("write", [each[0] for each in WRITERS.values()], ids=WRITERS.keys())
def test_what_manifest_says_to_do_next_prepares_the_data_set(
    tmp_path: Path,
    write: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("runs"))
    main_ends(["manifest", "runs", "--out", "tables"], 0)
    command = plain(capsys).rpartition("look at both tables, then: scopewatch-train ")[2].split()

    main_ends(command, 0)

    assert "4 of 4 pairs ready in dataset: runs" in plain(capsys)


def test_folders_of_positions_are_one_run(tmp_path: Path) -> None:
    for place in ("Pos0", "Pos1"):
        field = make_field(1, side=128)
        write_plane(tmp_path / "exp" / place / "P1_A1_s0_t0000_phase.tif", field.phase)
    survey = tmp_path / "exp"
    for index, place in enumerate(("Pos0", "Pos1")):
        for channel in ("phase", "gfp"):
            write_plane(
                survey / place / f"P1_B{index + 1}_s0_t0001_{channel}.tif",
                make_field(index, side=128).phase,
            )
        (survey / place / "P1_A1_s0_t0000_phase.tif").unlink()
    found = survey_runs(survey, SurveyChoices())
    assert found.one_run
    assert [row.run for row in found.pairs] == ["exp", "exp"]
    assert not survey_runs(survey, SurveyChoices(one_run=False)).one_run


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        (("phase",), "folder holds no fluorescence channel"),
        (("phase", "gfp", "mcherry"), "fluorescence channel cannot be chosen by its name"),
        (("left", "right"), "phase channel cannot be chosen by its name"),
    ],
)
def test_a_choice_that_names_do_not_tell_is_asked_for_in_one_line(
    tmp_path: Path, channels: tuple[str, ...], words: str
) -> None:
    for channel in channels:
        write_plane(tmp_path / "r1" / f"P1_A1_s0_t0000_{channel}.tif", make_field(1).phase)
    with pytest.raises(ConfigError, match=words) as caught:
        survey_runs(tmp_path, SurveyChoices())
    assert "\n" not in str(caught.value)
    assert "-channel" in str(caught.value)


def test_nuclei_are_not_taken_for_the_marker(tmp_path: Path) -> None:
    for channel in ("phase", "gfp", "dapi"):
        write_plane(tmp_path / "r1" / f"P1_A1_s0_t0000_{channel}.tif", make_field(1).phase)
    found = survey_runs(tmp_path, SurveyChoices())
    assert (found.fluorescence[0], dict(found.others)) == ("gfp", {"dapi": 1})


def test_unnamed_channels_of_a_composite_are_named_by_an_option(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    planes = np.stack(counts(make_field(1, side=128)))
    path = tmp_path / "r1" / "P1_A1_s0_t0000.tif"
    tifffile.imwrite(path, planes, imagej=True, metadata={"axes": "CYX", "mode": "composite"})
    with pytest.raises(ConfigError, match=r"got channel0 \(1 pictures\), channel1 \(1 pictures\)"):
        survey_runs(tmp_path, SurveyChoices())
    choices = SurveyChoices(phase="channel0", fluorescence="channel1")
    (row,) = survey_runs(tmp_path, choices).pairs
    assert np.array_equal(read_picture(row.fluorescence).pixels, planes[1])


def test_copies_of_a_frame_are_one_line(tmp_path: Path) -> None:
    write_plain(tmp_path)
    with pytest.raises(ConfigError, match="two pictures are the same frame"):
        survey_runs(tmp_path, SurveyChoices(one_run=True))
