from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.manifest import (
    read_manifest,
    require_runs,
)

HEADER = "run,plate,well,site,time_point,phase,fluorescence"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("p.tif", "f.tif"):
        (tmp_path / name).write_bytes(b"II")
    return tmp_path


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "manifest.csv"
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    return path


def complaints(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_manifest(path)
    return str(caught.value).splitlines()


def test_a_row_names_its_pair_and_finds_its_pictures(folder: Path) -> None:
    path = write(folder, "r1,P1,B3,2,7,p.tif,f.tif,0.65", header=f"{HEADER},um_per_px")
    (row,) = read_manifest(path)
    assert row.key == ("r1", "P1", "B3", 2, 7)
    assert row.pair_id == "r1_P1_B3_s2_t0007"
    assert (row.phase.path, row.fluorescence.path) == (folder / "p.tif", folder / "f.tif")
    assert (row.um_per_px, row.day) == (0.65, None)


def test_absolute_paths_and_pages_of_a_stack_are_understood(folder: Path) -> None:
    path = write(folder, f"r1,P1,A1,0,0,{folder / 'p.tif'}#page=0,f.tif#page=3")
    (row,) = read_manifest(path)
    assert row.phase.path == folder / "p.tif"
    assert row.fluorescence.part == "page=3"


def test_a_byte_order_mark_from_a_spreadsheet_is_no_part_of_the_first_column(folder: Path) -> None:
    path = folder / "manifest.csv"
    path.write_text(f"{HEADER}\nr1,P1,A1,0,0,p.tif,f.tif\n", encoding="utf-8-sig")
    assert read_manifest(path)[0].run == "r1"


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path / "none.csv")
    assert line.startswith(f"manifest cannot be read: {tmp_path / 'none.csv'}")
    assert "No such file" in line


def test_columns_that_are_missing_are_named_in_one_line(folder: Path) -> None:
    (line,) = complaints(write(folder, header="run,plate,site,phase"))
    assert line.startswith("manifest has no column well, fluorescence: ")


def test_a_table_without_plate_site_and_time_point_has_one_of_each(folder: Path) -> None:
    path = write(folder, "r1,A1,p.tif,f.tif", header="run,well,phase,fluorescence")
    (row,) = read_manifest(path)
    assert row.key == ("r1", "plate", "A1", 0, 0)


def test_two_fields_of_a_well_need_a_column_that_tells_them_apart(folder: Path) -> None:
    rows = ("r1,A1,p.tif,f.tif", "r1,A1,p.tif,f.tif")
    (line,) = complaints(write(folder, *rows, header="run,well,phase,fluorescence"))
    assert line.startswith("pair is listed more than once: ")
    assert line.endswith("its own site or time_point (columns of the table)")


def test_a_misspelt_column_is_named_once_with_the_name_that_was_meant(folder: Path) -> None:
    path = write(folder, header=HEADER.replace("well", "wel"))
    (line,) = complaints(path)
    assert line == (
        f"manifest has an unknown column 'wel': {path} (expected {HEADER},um_per_px,day);"
        " rename it to well, or remove it"
    )


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("um_per_pixel", "um_per_px"),
        ("pixel size (um)", "um_per_px"),
        ("days", "day"),
    ],
)
def test_a_misspelt_optional_column_is_refused_not_ignored(
    folder: Path, wrong: str, meant: str
) -> None:
    (line,) = complaints(write(folder, "r1,P1,A1,0,0,p.tif,f.tif,1", header=f"{HEADER},{wrong}"))
    assert line.startswith(f"manifest has an unknown column {wrong!r}: ")
    assert line.endswith(f"rename it to {meant}, or remove it")


def test_a_column_like_none_of_ours_is_refused_without_a_guess(folder: Path) -> None:
    (line,) = complaints(write(folder, "r1,P1,A1,0,0,p.tif,f.tif,1", header=f"{HEADER},operator"))
    assert line.endswith("rename or remove it")


@pytest.mark.parametrize("text", ["", "dear all, see the plates", '{"run": 1}', "a\tb\tc\n1\t2\t3"])
def test_what_is_no_manifest_is_one_line(folder: Path, text: str) -> None:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    (line,) = complaints(path)
    assert line.startswith(f"manifest has no column run, well, phase, fluorescence: {path} ")


def test_a_picture_given_as_the_manifest_is_one_line(folder: Path) -> None:
    path = folder / "picture.tif"
    path.write_bytes(b"II*\0\xff\xfe\x80" * 20)
    (line,) = complaints(path)
    assert line.startswith(f"manifest cannot be read: {path} (expected text")
    assert line.endswith("got none of these); give a CSV file; in Excel: Save As, CSV UTF-8")


def test_a_missing_picture_is_named_with_its_line(folder: Path) -> None:
    (line,) = complaints(write(folder, "r1,P1,A1,0,0,p.tif,gone.tif"))
    assert line.startswith(f"fluorescence picture is missing: {folder / 'manifest.csv'} line 2")
    assert str(folder / "gone.tif") in line


def test_all_problems_are_reported_at_once(folder: Path) -> None:
    lines = complaints(
        write(
            folder,
            ",P1,A1,0,0,p.tif,f.tif",
            "r1,P1,A1,x,-1,p.tif,f.tif",
            "r1,P1,A1,0,0,p.tif",
        )
    )
    assert [line.split(":")[0] for line in lines] == [
        "run is empty",
        "site is not an index",
        "time_point is not an index",
        "row has the wrong number of fields",
    ]


def test_a_pixel_size_must_be_a_positive_number(folder: Path) -> None:
    for text in ("0", "-1", "nan", "wide"):
        path = write(folder, f"r1,P1,A1,0,0,p.tif,f.tif,{text}", header=f"{HEADER},um_per_px")
        (line,) = complaints(path)
        assert line.startswith("um_per_px is not a number"), text


def test_a_pair_that_is_listed_twice_is_named_once(folder: Path) -> None:
    (line,) = complaints(write(folder, *["r1,P1,A1,0,0,p.tif,f.tif"] * 3))
    assert line.startswith("pair is listed more than once")
    assert "r1/P1/A1/s0/t0000 (expected one row, got 3 rows)" in line


def test_a_manifest_without_rows_is_refused(folder: Path) -> None:
    (line,) = complaints(write(folder))
    assert line.startswith("manifest has no pair")


def test_a_problem_of_many_rows_is_one_line_that_names_them(folder: Path) -> None:
    lines = complaints(write(folder, *[f"r1,P1,A1,{i},0,none.tif,f.tif" for i in range(50)]))
    (line,) = lines
    assert line.startswith(f"phase picture is missing: {folder / 'manifest.csv'} line 2 ")
    assert line.endswith(" (likewise lines 3, 4, 5, 6, 7 and 44 more)")


def test_an_endless_list_of_problems_is_cut(folder: Path) -> None:
    extra = [f"x{chr(97 + at)}y" for at in range(26)]
    lines = complaints(write(folder, header=",".join([HEADER, *extra])))
    assert len(lines) == 21
    assert lines[-1] == "and 6 more problems like these"


def test_one_run_cannot_be_held_out() -> None:
    with pytest.raises(ConfigError, match=r"too few runs to hold one out: m.csv .*got r1"):
        require_runs(["r1", "r1"], where="m.csv")
    require_runs(["r1", "r2"], where="m.csv")
