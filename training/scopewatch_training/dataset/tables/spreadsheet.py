"""Tables as spreadsheets save them: CSV with any usual delimiter, encoding and decimal mark.

Read are comma, semicolon, tab and `|`, a first line `sep=;`, UTF-8, UTF-16, Shift-JIS and
Windows-1252, headers in capitals or with spaces about them, blank rows, and empty fields at the end
of rows. Titles above the header and remarks behind a `#` are no rows.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.tables.other_words import own_word

_DELIMITERS: Final = (",", ";", "\t", "|")
_SEP_LINE: Final = re.compile(r'\s*"?sep=(?P<delimiter>.)"?[\s,;]*', re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""Characters that no text has."""
_WIDE: Final = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff]+")
"""Kana, kanji and their punctuation."""
_MOST_ABOVE: Final = 20
"""Lines that a title may take above the header."""
_FEWEST_FIELDS: Final = 3
_MOST_BYTES: Final = 64 * 1024 * 1024
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of XLSX and ODS, and of XLS."""
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks and the encodings that they announce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row with something in it.

    Parameters
    ----------
    number
        Line of the file, from 1.
    fields
        Text of each column that the row reaches, stripped.
    surplus
        Fields beyond the last column that are not empty.
    """

    number: int
    fields: Mapping[str, str]
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTable:
    """A table.

    Parameters
    ----------
    columns
        Names of the header, those that were asked for as they were asked for.
    """

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_sheet(path: Path, what: str, known: Sequence[str]) -> SheetTable:
    """Read a table that a person made.

    Parameters
    ----------
    what
        Name of the table in messages.
    known
        Columns to look for, whatever their case and the spaces about them.

    Raises
    ------
    ConfigError
        When the file is missing, a workbook, no text or no CSV.
    """
    text = _decode(path, what)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip(' ,;\t"')), len(lines))
    mark = _SEP_LINE.fullmatch(lines[start]) if start < len(lines) else None
    if mark is not None:
        start += 1
    start = _header_line(lines, start, known)
    delimiter = mark["delimiter"] if mark else _delimiter(lines[start:], known)
    try:
        parsed = _parse(lines[start:], delimiter, start)
        if parsed and len(parsed[0][1]) == 1 and _words(parsed[0][1][0], known) > 1:
            # A program of another locale saved each line as one quoted field.
            inner = [row[0] if row else "" for _, row in parsed]
            again = _parse(inner, _delimiter(inner, known), 0)
            parsed = [(parsed[index - 1][0], row) for index, row in again]
    except csv.Error as error:
        raise ConfigError(
            complaint(f"{what} is not CSV", where=path, got=error, do="save it as plain CSV")
        ) from error
    filled = [(number, [*map(_strip, row)]) for number, row in parsed]
    filled = [(number, row) for number, row in filled if any(row)]
    if not filled:
        return SheetTable(columns=(), rows=())
    names = {_plain(name): name for name in known}
    header = [names.get(_plain(name), name) for name in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    return SheetTable(
        columns=tuple(header),
        rows=tuple(
            _row(number, row, header)
            for number, row in filled[1:]
            if row != filled[0][1] and not _is_comment(row)
        ),
    )


def _header_line(lines: Sequence[str], start: int, known: Sequence[str]) -> int:
    """Return the first of the first lines that names two columns; `start` where none does.

    Columns in words of another language are looked for where no line has the known ones.
    """
    for count in (_named, _meant):
        for index in range(start, min(start + _MOST_ABOVE, len(lines))):
            if max(count(lines[index].split(each), known) for each in _DELIMITERS) > 1:
                return index
    return start


def _is_comment(row: Sequence[str]) -> bool:
    """Whether a row is a remark behind a `#`: a run of that name has more fields."""
    return row[0].startswith("#") and sum(map(bool, row)) < _FEWEST_FIELDS


def parse_index(text: str) -> int | None:
    """Read 0, 1, 2, ..., also as spreadsheets write them (`3.0`, `3,0`); None where it is none."""
    match = re.fullmatch(r"([0-9]{1,9})(?:[.,]0{1,9})?", text)
    return int(match[1]) if match else None


def parse_decimal(text: str) -> float | None:
    """Read a finite number with a decimal point or a decimal comma; None where it is none."""
    plain = text.replace(",", ".") if re.fullmatch(r"[+-]?[0-9]*,[0-9]+", text) else text
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _decode(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            complaint(
                f"{what} cannot be read",
                where=path,
                got=error.strerror,
                do="give the path of a CSV file",
            )
        ) from error
    if raw.startswith(_WORKBOOKS):
        raise ConfigError(
            complaint(
                f"{what} is a workbook (XLSX, XLS or ODS)",
                where=path,
                expected="a CSV file",
                do="save its sheet as CSV (in Excel: Save As, CSV UTF-8) and give that file",
            )
        )
    text = _text(raw) if len(raw) <= _MOST_BYTES else None
    if text is None:
        raise ConfigError(
            complaint(
                f"{what} cannot be read",
                where=path,
                expected="text in UTF-8, UTF-16, Shift-JIS or Windows-1252",
                got="none of these" if len(raw) <= _MOST_BYTES else "more than 64 MiB",
                do="give a CSV file; in Excel: Save As, CSV UTF-8",
            )
        )
    return text


def _text(raw: bytes) -> str | None:
    """Decode a file; None where it is no text."""
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    names = _unmarked(raw) if marked is None else [marked]
    for name in names:
        try:
            text = raw.decode(name)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


def _unmarked(raw: bytes) -> list[str]:
    """Return the encodings to try in turn where there is no byte order mark.

    Windows-1252 leaves five bytes undefined: text that has them is of another encoding, and its
    names would be read wrong.
    """
    head = raw[:200]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 4:
        return ["utf-16-le" if odd > even else "utf-16-be"]
    return ["utf-8", "cp932" if _is_japanese(raw) else "cp1252"]


def _is_japanese(raw: bytes) -> bool:
    """Whether text that is no UTF-8 is Shift-JIS, as Japanese Excel saves CSV.

    Two bytes of European text can be a kanji (é and a letter), which is then alone; kana and
    kanji follow each other. Katakana of one byte are European capitals.
    """
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        return False
    wide = [len(run) for run in _WIDE.findall(text)]
    return sum(length for length in wide if length > 1) > sum(wide) / 2


def _delimiter(lines: Sequence[str], known: Sequence[str]) -> str:
    """Return the delimiter by which the first line names most columns."""
    first = next((line for line in lines if line.strip()), "")
    fields = {each: first.split(each) for each in _DELIMITERS}
    counts = {each: (_named(of, known), _meant(of, known)) for each, of in fields.items()}
    return max(_DELIMITERS, key=lambda each: counts[each])


def _words(text: str, known: Sequence[str]) -> int:
    return max(_named(text.split(each), known) for each in _DELIMITERS)


def _named(words: Sequence[str], known: Sequence[str]) -> int:
    names = {_plain(name) for name in known}
    return len({_plain(word.strip(' "')) for word in words} & names)


def _meant(words: Sequence[str], known: Sequence[str]) -> int:
    """Return how many columns some words mean, by their own names or those of other languages."""
    return len({own_word(word.strip(' "')) for word in words} & set(known))


def _parse(lines: Sequence[str], delimiter: str, start: int) -> list[tuple[int, list[str]]]:
    text = io.StringIO("\n".join(lines))
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    return [(start + reader.line_num, row) for row in reader]


def _row(number: int, row: Sequence[str], header: Sequence[str]) -> TableRow:
    beyond = [field for field in row[len(header) :] if field]
    unnamed = [field for name, field in zip(header, row, strict=False) if field and not name]
    fields = {name: field for name, field in zip(header, row, strict=False) if name}
    return TableRow(number=number, fields=fields, surplus=(*unnamed, *beyond))


def _strip(field: str) -> str:
    return field.strip().strip("\ufeff\u200b").strip()


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", _strip(name)).casefold()
