"""Tables as labs keep them: each is read as it was meant, or answered by what to change."""

from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.manifest import PairRow, read_manifest
from scopewatch_training.dataset.tables.quantities import parse_day, parse_um
from scopewatch_training.forecasting.timelapse import read_timelapse

HEADER = "run,plate,well,site,time_point,phase,fluorescence,um_per_px,day"
ROW = "march,P1,A1,0,0,march/p.tif,march/f.tif,0.65,7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "march").mkdir()
    for name in ("p.tif", "f.tif", "a b.tif"):
        (tmp_path / "march" / name).write_bytes(b"II")
    return tmp_path


def read(folder: Path, *lines: str) -> list[PairRow]:
    path = folder / "pairs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_manifest(path)


def lines_of(folder: Path, *lines: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, *lines)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "lines",
    [
        ("# plates of Mika, March", HEADER, ROW),
        ("Plates of March,,,,,,,,", ",,,,,,,,", HEADER, ROW),
        (HEADER, "# first plate", ROW, "# end, of the table"),
        (HEADER, ROW.replace(",7", ",Day 7")),
        (HEADER, ROW.replace(",7", ",D07")),
        (HEADER, ROW.replace(",7", ",7 d")),
        (HEADER, ROW.replace("0.65", "0.65 µm")),
        (HEADER, ROW.replace("0.65", '"0,65 um/px"')),
        (HEADER, ROW.replace("march/p.tif", '"=HYPERLINK(""march/p.tif"",""p"")"')),
    ],
)
def test_what_is_meant_by_one_thing_alone_is_read(folder: Path, lines: tuple[str, ...]) -> None:
    (row,) = read(folder, *lines)
    assert row.key == ("march", "P1", "A1", 0, 0)
    assert (row.um_per_px, row.day) == (0.65, 7)
    assert row.phase.path == folder / "march" / "p.tif"


def test_an_address_of_a_file_is_its_path(folder: Path) -> None:
    address = (folder / "march" / "a b.tif").as_uri()
    (row,) = read(folder, HEADER, ROW.replace("march/p.tif", address))
    assert row.phase.path == folder / "march" / "a b.tif"


@pytest.mark.parametrize(
    ("line", "begin", "end"),
    [
        (ROW.replace(",7", ",2026-03-07"), "day is not a number", "not the date"),
        (ROW.replace(",7", ",07.03.2026"), "day is not a number", "not the date"),
        (ROW.replace(",7", ",168 h"), "day is not a number", "not hours"),
        (ROW.replace("0.65", "100%"), "um_per_px is not a number", "not a percentage"),
        (ROW.replace("0.65", "650 nm"), "um_per_px is not a number", "where it is unknown"),
        ("Total,,12,,,,,,", "row names no picture", "or give both paths"),
        (
            ROW.replace("march/p.tif", r"D:\scans\march\p.tif"),
            "phase picture is missing",
            "write the path from the table's folder: march/p.tif is there",
        ),
        (
            ROW.replace("march/p.tif", r"\\nas\scans\p.tif"),
            "phase picture is missing",
            "counted from the table's folder",
        ),
        (
            ROW.replace("march/p.tif", "march"),
            "phase picture is missing",
            "name the file: this is a folder",
        ),
        (
            ROW.replace("march/p.tif", "https://lab.example/p.tif"),
            "phase picture is missing",
            "download the picture, or mount the share, and write its path",
        ),
        (
            ROW.replace("march/p.tif", "omero:1234"),
            "phase picture is missing",
            "download the picture, or mount the share, and write its path",
        ),
        (
            ROW.replace("march/p.tif", "~/scans/p9.tif"),
            "phase picture is missing",
            "one picture in each row: ~, $NAME and * are not filled in",
        ),
        (
            ROW.replace("march/p.tif", "march/*.tif"),
            "phase picture is missing",
            "one picture in each row: ~, $NAME and * are not filled in",
        ),
        (
            ROW.replace("march/p.tif", "/Volumes of another machine/p9.tif"),
            "phase picture is missing",
            f"this machine has no {Path('/Volumes of another machine')}",
        ),
    ],
)
def test_a_wrong_field_is_one_line_with_what_to_write(
    folder: Path, line: str, begin: str, end: str
) -> None:
    (problem,) = lines_of(folder, HEADER, line)
    assert problem.startswith(f"{begin}: {folder / 'pairs.csv'} line 2")
    assert problem.endswith(end)


def test_merged_cells_are_one_line_for_each_column(folder: Path) -> None:
    merged = [ROW, *[ROW.replace("march,P1,A1", f",,A{at}") for at in (2, 3, 4)]]
    run, plate = lines_of(folder, HEADER, *merged)
    assert run.startswith(f"run is empty: {folder / 'pairs.csv'} line 3; name the run in each row;")
    assert run.endswith("of merged cells only the first is saved (likewise lines 4, 5)")
    assert plate.startswith("plate is empty")


@pytest.mark.parametrize(
    ("header", "renames"),
    [
        ("experiment,well,image,gfp", ["run", "phase", "fluorescence"]),
        ("run,well,bf,marker", ["phase", "fluorescence"]),
        ("Versuch,Vertiefung,Phase,Fluoreszenz", ["run", "well", "fluorescence"]),
        ("実験,ウェル,位相差,蛍光", ["run", "well", "phase", "fluorescence"]),
        ("Run,Well,Phase contrast,Fluorescence (GFP)", ["phase", "fluorescence"]),
    ],
)
def test_columns_in_other_words_are_named_as_they_must_be(
    folder: Path, header: str, renames: list[str]
) -> None:
    found = lines_of(folder, header, "march,A1,march/p.tif,march/f.tif")
    assert [line.rpartition("; ")[2] for line in found] == [
        f"rename it to {name}, or remove it" for name in renames
    ]


def test_runs_that_differ_in_signs_are_not_called_one_pair(folder: Path) -> None:
    rows = [ROW.replace("march,", f"{run},", 1) for run in ("run 1", "run_1")]
    rows = [row.replace("run_1", "run?1") for row in rows]
    (problem,) = lines_of(folder, HEADER, *rows)
    assert problem.startswith("names of two pairs differ in signs alone")
    assert "got run 1/P1/A1/s0/t0000 and run?1/P1/A1/s0/t0000" in problem


def test_a_run_whose_name_begins_with_a_hash_is_a_row(folder: Path) -> None:
    (row,) = read(folder, HEADER, ROW.replace("march,", "#1,", 1))
    assert row.run == "#1"


def test_a_time_lapse_takes_the_same_words(folder: Path) -> None:
    path = folder / "timelapse.csv"
    path.write_text(
        "run,plate,well,site,time_point,day,phase\nmarch,P1,A1,0,0,Day 3.5,march/p.tif\n",
        encoding="utf-8",
    )
    assert [frame.day for frame in read_timelapse(path)] == [3.5]


@pytest.mark.parametrize("deep", ["tables", "tables/2026", "tables/2026/spring"])
def test_paths_that_count_from_a_folder_above_are_answered_by_the_right_ones(
    folder: Path, deep: str
) -> None:
    (folder / deep).mkdir(parents=True)
    phase, fluorescence = lines_of(folder / deep, HEADER, ROW)
    up = "../" * len(Path(deep).parts)
    assert phase.endswith(f"from the table's folder: {up}march/p.tif is there")
    assert fluorescence.endswith(f"{up}march/f.tif is there")


@pytest.mark.parametrize("text", ["7 h", "day", "d-", "-1 d", "7.3.26", "", "day 7 8"])
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    assert parse_day(text) is None


@pytest.mark.parametrize("text", ["650 nm", "0.65 mm", "1 x 1", "20x", ""])
def test_what_is_no_micrometre_is_not_guessed(text: str) -> None:
    assert parse_um(text) is None
