"""Manifests as people save them: each is read, or answered by one line that says what to change."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.manifest import PairRow, read_manifest
from scopewatch_training.dataset.tables.spreadsheet import parse_decimal, parse_index
from scopewatch_training.forecasting.courses import read_finals
from scopewatch_training.forecasting.timelapse import read_timelapse

PLAIN = """\
run,plate,well,site,time_point,phase,fluorescence,um_per_px,day
March,P1,A1,0,0,march/p.tif,march/f.tif,0.65,10
Jänner,P1,A2,1,3,march/p.tif,march/f.tif,0.65,9.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "march").mkdir()
    for name in ("p.tif", "f.tif"):
        (tmp_path / "march" / name).write_bytes(b"II")
    return tmp_path


def read(folder: Path, raw: bytes) -> list[PairRow]:
    path = folder / "pairs.csv"
    path.write_bytes(raw)
    return read_manifest(path)


def problem(folder: Path, raw: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, raw)
    (line,) = str(caught.value).splitlines()
    return line


def german(text: str) -> str:
    return text.replace(",", ";").replace("0.65", "0,65").replace("9.5", "9,5")


READ: dict[str, Callable[[str], bytes]] = {
    "semicolons and decimal commas, as German and French Excel": lambda t: german(t).encode(),
    "semicolons and decimal points": lambda t: t.replace(",", ";").encode(),
    "tabs": lambda t: t.replace(",", "\t").encode(),
    "tabs and decimal commas": lambda t: german(t).replace(";", "\t").encode(),
    "bars": lambda t: t.replace(",", "|").encode(),
    "a line sep=; first": lambda t: ("sep=;\r\n" + german(t)).encode(),
    "a quoted line SEP=, first, filled up": lambda t: ('"SEP=,",,,,,,,,\r\n' + t).encode(),
    "a line sep=; in UTF-16": lambda t: ("sep=;\r\n" + german(t)).encode("utf-16"),
    "a byte order mark": lambda t: codecs.BOM_UTF8 + t.encode(),
    "Unicode text of Excel: UTF-16 with tabs": lambda t: t.replace(",", "\t").encode("utf-16"),
    "UTF-16 big-endian with its mark": lambda t: codecs.BOM_UTF16_BE + t.encode("utf-16-be"),
    "UTF-16 without a mark": lambda t: t.encode("utf-16-le"),
    "UTF-32": lambda t: t.encode("utf-32"),
    "Windows-1252": lambda t: t.encode("cp1252"),
    "Windows line ends": lambda t: t.replace("\n", "\r\n").encode(),
    "old Macintosh line ends": lambda t: t.replace("\n", "\r").encode(),
    "headers in capitals": lambda t: t.replace(t.split("\n")[0], t.split("\n")[0].upper()).encode(),
    "headers with spaces about them": lambda t: t.replace("well,site", " Well , Site ", 1).encode(),
    "headers with spaces for underscores": lambda t: t.replace("time_point", "Time Point").encode(),
    "fields with spaces about them": lambda t: t.replace("A1,0", " A1 , 0 ").encode(),
    "blank rows": lambda t: ("\n\n" + t.replace("\n", "\n\n") + "\n\n").encode(),
    "rows of commas only": lambda t: (t + ",,,,,,,,\n  ,,\n").encode(),
    "trailing commas on every line": lambda t: t.replace("\n", ",,,\n").encode(),
    "trailing commas on some lines": lambda t: t.replace("0.65,10\n", "0.65,10,,\n").encode(),
    "every field quoted": lambda t: "\n".join(
        ",".join(f'"{field}"' for field in line.split(",")) for line in t.splitlines()
    ).encode(),
    "every line one quoted field": lambda t: "\n".join(
        f'"{line}"' for line in t.splitlines()
    ).encode(),
    "decimal commas in quotes": lambda t: t.replace("0.65", '"0,65"').encode(),
    "whole numbers written as decimals": lambda t: t.replace("1,3,", "1.0,3.00,").encode(),
    "backslashes": lambda t: t.replace("march/", "march\\").encode(),
    "a dot and a backslash": lambda t: t.replace("march/", ".\\march\\").encode(),
    "paths in quotes, as Windows copies them": lambda t: t.replace(
        "march/p.tif", '"""march\\p.tif"""'
    ).encode(),
    "the header repeated, as joined files have it": lambda t: (
        t.split("\n")[0] + "\n" + t
    ).encode(),
    "a zero-width space before the header": lambda t: ("\u200b" + t).encode(),
}


@pytest.mark.parametrize("saved", READ.values(), ids=READ.keys())
def test_a_manifest_is_read_however_it_was_saved(
    folder: Path, saved: Callable[[str], bytes]
) -> None:
    expected = read(folder, PLAIN.encode())
    rows = read(folder, saved(PLAIN))
    assert [row.key for row in rows] == [row.key for row in expected]
    assert [(row.um_per_px, row.day) for row in rows] == [(0.65, 10.0), (0.65, 9.5)]
    assert all(row.phase.is_there and row.fluorescence.is_there for row in rows)


PLATES = {
    "German": ("Größe groß", "cp1252"),
    "French": ("Boîte déjà prête", "cp1252"),
    "Latin-1": ("Boîte à février", "latin-1"),
    "Spanish": ("Año ÉXITO 1", "cp1252"),
    "Japanese, Shift-JIS": ("プレート1", "shift_jis"),
    "Japanese, Windows": ("心筋細胞①", "cp932"),
    "Japanese, UTF-8 with a mark": ("プレート1", "utf-8-sig"),
}


@pytest.mark.parametrize(("plate", "encoding"), PLATES.values(), ids=PLATES.keys())
def test_names_are_those_of_the_locale_that_saved_them(
    folder: Path, plate: str, encoding: str
) -> None:
    table = PLAIN.replace(",P1,", f",{plate},").replace("Jänner", "May")
    rows = read(folder, table.encode(encoding))
    assert {row.plate for row in rows} == {plate}


def test_names_in_an_encoding_that_is_not_known_are_refused_and_not_guessed(folder: Path) -> None:
    line = problem(folder, PLAIN.replace(",P1,", ",P\x81\x8d,").encode("latin-1"))
    assert "expected text in UTF-8, UTF-16, Shift-JIS or Windows-1252, got none of these" in line
    assert line.endswith("in Excel: Save As, CSV UTF-8")


REFUSED: dict[str, tuple[Callable[[str], bytes], str]] = {
    "an XLSX workbook": (
        lambda _: b"PK\x03\x04\x14\0\6\0",
        "manifest is a workbook (XLSX, XLS or ODS)",
    ),
    "an XLS workbook": (
        lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "save its sheet as CSV",
    ),
    "a value under no name": (
        lambda t: t.replace("0.65,10\n", "0.65,10,seen by AB\n").encode(),
        "row has the wrong number of fields",
    ),
    "a decimal comma between commas": (
        lambda t: t.replace("0.65,10\n", "0,65,10\n").encode(),
        "where a decimal comma or a comma in a name split it, put the field in quotes",
    ),
    "another unit after a number": (
        lambda t: t.replace("0.65,10", "650 nm,10").encode(),
        "write micrometres, as 0.65, 0,65 or 0.65 um",
    ),
    "a site that is a letter": (
        lambda t: t.replace("A1,0", "A1,left").encode(),
        "number them from 0",
    ),
    "an open quote": (lambda t: (t + '"r,P1').encode(), "manifest is not CSV"),
    "a file in another case": (
        lambda t: t.replace(
            "march/p.tif,march/f.tif,0.65,10", "march/P.TIF,march/f.tif,,"
        ).encode(),
        "correct the path; that folder has p.tif",
    ),
    "one picture in both columns": (
        lambda t: t.replace("march/f.tif,0.65,10", "march/p.tif,0.65,10").encode(),
        "of a file with several channels name a page, from 0 (#page=0, #page=1), or the channel",
    ),
    "a path of a Windows machine": (
        lambda t: t.replace(
            "march/p.tif,march/f.tif,0.65,10", r"C:\x\p.tif,march/f.tif,,"
        ).encode(),
        "it is a path of another (Windows) machine",
    ),
}


@pytest.mark.parametrize(("saved", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_one_line_that_says_what_to_change(
    folder: Path, saved: Callable[[str], bytes], words: str
) -> None:
    assert words in problem(folder, saved(PLAIN))


def test_a_name_that_is_not_decomposed_finds_the_file_that_macos_wrote(folder: Path) -> None:
    (folder / "march" / "Ja\u0308nner.tif").write_bytes(b"II")
    text = PLAIN.replace("march/p.tif", "march/J\u00e4nner.tif")
    assert read(folder, text.encode())[0].phase.is_there


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("3.0", 3), ("3,00", 3), ("3.5", None), ("-1", None), ("", None)]
)
def test_indices_are_whole_numbers_from_0(text: str, value: int | None) -> None:
    assert parse_index(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,65", 0.65), ("0.65", 0.65), ("1e-1", 0.1), ("1.234,5", None), ("inf", None), ("", None)],
)
def test_numbers_have_a_point_or_a_comma(text: str, value: float | None) -> None:
    assert parse_decimal(text) == value


def test_time_lapses_and_final_efficiencies_are_read_from_a_german_spreadsheet(
    folder: Path,
) -> None:
    table = folder / "timelapse.csv"
    table.write_bytes(
        "sep=;\r\nRun;Plate;Well;Site;Time Point;Day;Phase;;\r\n;;;;;;;;\r\n"
        "März;P1;A1;0;3;1,5;march\\p.tif;;\r\n".encode("cp1252")
    )
    (frame,) = read_timelapse(table)
    assert (frame.run, frame.day, frame.phase) == ("März", 1.5, folder / "march" / "p.tif")
    finals = folder / "finals.csv"
    finals.write_bytes(
        "RUN\tplate\twell\tsite\tFinal_Efficiency\nr\tP1\tA1\t0\t0,25".encode("utf-16")
    )
    assert read_finals(finals) == {("r", "P1", "A1"): 0.25}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("r,P1,A1,0,0,,march/p.tif", "day is empty"),
        ("r,P1,A1,x,0,1,march/p.tif", "site 'x' is none of 0, 1, 2, ..."),
        ("r,P1,A1,0,0,soon,march/p.tif", "day 'soon' is no number"),
        ("r,P1,A1,0,0,1,march/q.tif", "no file march/q.tif: correct the path"),
        ("r,P1,A1,0,0,1,march/p.tif,8,3", "more fields than columns, 2 more: '8', '3'"),
    ],
)
def test_a_wrong_line_of_a_time_lapse_says_what_is_wrong(
    folder: Path, line: str, words: str
) -> None:
    table = folder / "timelapse.csv"
    table.write_text(f"run,plate,well,site,time_point,day,phase\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2") as caught:
        read_timelapse(table)
    assert words in str(caught.value)


def test_a_row_that_is_too_long_or_too_short_says_by_which_fields(folder: Path) -> None:
    columns = "expected 9 fields (run, plate, well, site, time_point, phase, fluorescence, um_per"
    long = problem(folder, PLAIN.replace("0.65,10\n", "0.65,10,8,3\n").encode())
    assert columns in long
    assert "got 2 more: '8', '3')" in long
    short = problem(folder, PLAIN.replace(",march/f.tif,0.65,10\n", "\n").encode())
    assert columns in short
    assert short.endswith("got none for fluorescence); fill every column")


def test_a_decimal_comma_that_splits_a_final_efficiency_is_not_read_as_0(folder: Path) -> None:
    finals = folder / "finals.csv"
    finals.write_text("run,plate,well,site,final_efficiency\nr,P1,A1,0,0,45\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2 with more fields than columns, 1 more: '45'"):
        read_finals(finals)


HEADERS = {
    "German": "Versuch;Vertiefung;Feld;Phasenkontrast;Fluoreszenz;Pixelgröße (µm);Tag",
    "French": "Expérience;Puits;Champ;Contraste de phase;Fluorescence;Taille pixel (µm);Jour",
    "Spanish": "Experimento;Pozo;Campo;Imagen;Fluorescencia;Tamaño de píxel;Día",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("above", ["", "Platten vom März;;;;;;\r\n"])
def test_columns_in_another_language_are_each_named_also_between_semicolons(
    folder: Path, header: str, above: str
) -> None:
    path = folder / "pairs.csv"
    row = "r;A1;0;march/p.tif;march/f.tif;0,65;9,5"
    path.write_bytes(f"{above}{header}\r\n{row}\r\n".encode("cp1252"))
    with pytest.raises(ConfigError) as caught:
        read_manifest(path)
    renames = [line.rpartition("rename it to ")[2] for line in str(caught.value).splitlines()]
    names = ["run", "well", "site", "phase", "fluorescence", "um_per_px", "day"]
    known = ["fluorescence"] if "Fluorescence" in header else []
    expected = [f"{name}, or remove it" for name in names if name not in known]
    assert renames == expected
