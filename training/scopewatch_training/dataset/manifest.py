"""The manifest: which phase frame belongs to which fluorescence frame, as a CSV file.

Columns `run, plate, well, site, time_point, phase, fluorescence`, and where known `um_per_px` and
`day`. A table without `plate`, `site` or `time_point` has one of each. Paths are relative to the
manifest or absolute; `stack.ome.tif#page=3` names a page, from 0, and `stack.ome.tif#channel=GFP`
a channel.
All problems of a manifest are reported at once, one line for each.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.tables.manifest_columns import (
    ASSUMED,
    COLUMNS,
    OPTIONAL,
    check_columns,
)
from scopewatch_training.dataset.tables.problems import raise_problems
from scopewatch_training.dataset.tables.quantities import (
    day_advice,
    parse_day,
    parse_um,
    um_advice,
)
from scopewatch_training.dataset.tables.spreadsheet import TableRow, parse_index, read_sheet
from scopewatch_training.dataset.tables.surplus import (
    SURPLUS_ADVICE,
    describe_missing,
    describe_surplus,
    expect_fields,
)
from scopewatch_training.dataset.tables.written_paths import find_picture, missing_advice


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """A phase frame and the fluorescence frame of the same field and moment.

    Parameters
    ----------
    run
        The differentiation run. Whole runs are held out, so that pairs with the same day,
        medium and passage must be of one run.
    site, time_point
        Indices from 0.
    phase, fluorescence
        Pictures in files that exist.
    um_per_px
        Width of a pixel of the phase frame; None where the files may state it.
    day
        Day of the run on which the pair was taken; None where unknown.
    """

    run: str
    plate: str
    well: str
    site: int
    time_point: int
    phase: PictureRef
    fluorescence: PictureRef
    um_per_px: float | None = None
    day: float | None = None

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Key of the pair: run, plate, well, site, time point."""
        return self.run, self.plate, self.well, self.site, self.time_point

    @property
    def pictures(self) -> tuple[PictureRef, PictureRef]:
        """Phase and fluorescence."""
        return self.phase, self.fluorescence

    @property
    def pair_id(self) -> str:
        """A name that is fit for a file: `run_plate_well_s0_t0000`."""
        words = (self.run, self.plate, self.well, f"s{self.site}", f"t{self.time_point:04d}")
        return "_".join(re.sub(r"[^A-Za-z0-9.+-]", "-", word) for word in words)

    def __str__(self) -> str:
        return f"{self.run}/{self.plate}/{self.well}/s{self.site}/t{self.time_point:04d}"


def read_manifest(path: Path) -> list[PairRow]:
    """Read and check a manifest.

    Returns
    -------
    One row for each pair, in the order of the file.

    Raises
    ------
    ConfigError
        Missing file, missing or unknown column, no row, a field that cannot be read, a picture
        that does not exist, or a pair that is listed twice: one line for each, at most twenty.
    """
    table = read_sheet(path, "manifest", COLUMNS + OPTIONAL)
    check_columns(path, table.columns)
    problems: list[str] = []
    rows: list[PairRow] = []
    for line in table.rows:
        row = _read_row(path, line, table.columns, problems)
        if row is not None:
            rows.append(row)
    problems += _duplicates(path, rows)
    if not rows and not problems:
        problems.append(complaint("manifest has no pair", where=path, do="add a row per field"))
    raise_problems(problems)
    return rows


def require_runs(runs: Iterable[str], *, where: object, at_least: int = 2) -> None:
    """Refuse a data set with too few runs to hold whole ones out.

    Raises
    ------
    ConfigError
        With fewer than `at_least` distinct runs.
    """
    names = sorted(set(runs))
    if len(names) < at_least:
        raise ConfigError(
            complaint(
                "too few runs to hold one out",
                where=where,
                expected=f"at least {at_least} runs",
                got=", ".join(names) or "none",
                do="add pairs of another differentiation run, or name what is a run in `run`",
            )
        )


def _read_row(
    path: Path, line: TableRow, columns: Sequence[str], problems: list[str]
) -> PairRow | None:
    """Read one line; None where it is wrong, and its problems are added to `problems`."""
    where = f"{path} line {line.number}"
    before = len(problems)
    assumed = {name: text for name, text in ASSUMED.items() if name not in columns}
    fields = {**assumed, **line.fields}
    if line.surplus or any(name not in fields for name in COLUMNS):
        problems.append(
            complaint(
                "row has the wrong number of fields",
                where=where,
                expected=expect_fields([name for name in columns if name]),
                got=describe_surplus(line)
                if line.surplus
                else describe_missing(line, [name for name in COLUMNS if name in columns]),
                do=SURPLUS_ADVICE if line.surplus else "fill every column",
            )
        )
        return None
    if not fields["phase"] and not fields["fluorescence"]:
        advice = "remove it (a total, a heading, a comment), or give both paths"
        problems.append(complaint("row names no picture", where=where, do=advice))
        return None
    problems += [
        complaint(
            f"{name} is empty",
            where=where,
            do=f"name the {name} in each row; of merged cells only the first is saved",
        )
        for name in ("run", "plate", "well")
        if not fields[name]
    ]
    site, time_point = (
        _index(fields[name], name, where, problems) for name in ("site", "time_point")
    )
    phase, fluorescence = (
        _picture(path, fields[name], name, where, problems) for name in ("phase", "fluorescence")
    )
    if phase == fluorescence and fields["phase"]:
        problems.append(
            complaint(
                "phase and fluorescence are the same picture",
                where=where,
                got=str(phase),
                do="of a file with several channels name a page, from 0 (#page=0, #page=1), or the"
                " channel (#channel=GFP)",
            )
        )
    text = fields.get("um_per_px", "")
    scale = parse_um(text)
    if text and (scale is None or scale <= 0):
        problems.append(_no_number("um_per_px", where, "above 0", text, um_advice(text)))
    text = fields.get("day", "")
    day = parse_day(text)
    if text and (day is None or day < 0):
        problems.append(_no_number("day", where, "from 0", text, day_advice(text)))
    if len(problems) > before:
        return None
    return PairRow(
        run=fields["run"],
        plate=fields["plate"],
        well=fields["well"],
        site=site,
        time_point=time_point,
        phase=phase,
        fluorescence=fluorescence,
        um_per_px=scale,
        day=day,
    )


def _index(text: str, name: str, where: str, problems: list[str]) -> int:
    value = parse_index(text)
    if value is not None:
        return value
    problems.append(
        complaint(
            f"{name} is not an index",
            where=where,
            expected="0, 1, 2, ...",
            got=repr(text),
            do="number them from 0",
        )
    )
    return 0


def _no_number(name: str, where: str, limit: str, text: str, advice: str) -> str:
    return complaint(
        f"{name} is not a number",
        where=where,
        expected=f"a number {limit}",
        got=repr(text),
        do=advice,
    )


def _picture(path: Path, text: str, name: str, where: str, problems: list[str]) -> PictureRef:
    if not text:
        problems.append(complaint(f"{name} is empty", where=where, do="give the picture's path"))
        return PictureRef(path=path)
    ref = find_picture(path.parent, text)
    if not ref.is_there:
        problems.append(
            complaint(
                f"{name} picture is missing",
                where=where,
                expected=ref.path,
                do=missing_advice(ref.path, text, path.parent),
            )
        )
    return ref


def _duplicates(path: Path, rows: Sequence[PairRow]) -> list[str]:
    groups: dict[str, list[PairRow]] = {}
    for row in rows:
        groups.setdefault(row.pair_id, []).append(row)
    problems = []
    for members in groups.values():
        if len(members) == 1:
            continue
        spellings = list(dict.fromkeys(str(row) for row in members))
        if len(spellings) > 1:
            problems.append(
                complaint(
                    "names of two pairs differ in signs alone",
                    where=f"{path}, {spellings[0]}",
                    expected="names that differ in letters or digits",
                    got=" and ".join(spellings),
                    do="write one name in all rows if they are the same, else rename one",
                )
            )
        else:
            problems.append(
                complaint(
                    "pair is listed more than once",
                    where=f"{path}, {spellings[0]}",
                    expected="one row",
                    got=f"{len(members)} rows",
                    do="give each field and time point its own site or time_point (columns of the"
                    " table)",
                )
            )
    return problems
