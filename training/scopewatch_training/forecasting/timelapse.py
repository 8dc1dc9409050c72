"""Time-lapses of whole runs: the table of their frames, and the time points of their wells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from scopewatch.core.alerts.wells import Look
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.monitoring.well_facts import Seen
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.tables.quantities import parse_day, parse_um
from scopewatch_training.dataset.tables.spreadsheet import (
    TableRow,
    parse_index,
    read_sheet,
)
from scopewatch_training.dataset.tables.surplus import describe_surplus
from scopewatch_training.dataset.tables.written_paths import find_picture, missing_advice

COLUMNS = ("run", "plate", "well", "site", "time_point", "day", "phase")
Well = tuple[str, str, str]
"""(run, plate, well)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedFrame:
    """A phase frame of a time-lapse: where it lies and on which day it was taken.

    Parameters
    ----------
    part
        Which picture of the file it is, as in `PictureRef`.
    """

    run: str
    plate: str
    well: str
    site: int
    time_point: int
    day: float
    phase: Path
    um_per_px: float | None
    part: str = ""

    @property
    def picture(self) -> PictureRef:
        """The picture: a file, or a part of one."""
        return PictureRef(path=self.phase, part=self.part)

    @property
    def place(self) -> Well:
        """(run, plate, well)."""
        return self.run, self.plate, self.well


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A well at one time point.

    Parameters
    ----------
    raw
        Raw positive fraction of each site that could be judged, by site.
    faults
        Why the others could not.
    measures
        Quality measures of each site that could be judged, by site.
    """

    place: Well
    time_point: int
    day: float
    raw: tuple[float, ...]
    faults: tuple[str, ...]
    measures: tuple[Mapping[str, float], ...] = ()

    @property
    def frames(self) -> int:
        """How many sites were taken."""
        return len(self.raw) + len(self.faults)

    def look(self) -> Look:
        """Return what rules see of it."""
        seen = Seen(
            faults=list(self.faults),
            days=[self.day] * len(self.raw),
            positive=list(self.raw),
            measures=list(self.measures),
        )
        return seen.look(self.day)


def read_timelapse(path: Path) -> list[TimedFrame]:
    """Read a table of time-lapse frames.

    Raises
    ------
    ConfigError
        When it cannot be read, lacks a column, or a line is wrong.
    """
    table = read_sheet(path, "time-lapse table", (*COLUMNS, "um_per_px"))
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or not table.rows:
        raise ConfigError(
            complaint(
                "time-lapse table is incomplete",
                where=path,
                expected=f"columns {', '.join(COLUMNS)} and a line for each frame",
                got=f"no {', '.join(missing)}" if missing else "no line",
                do="add what is missing",
            )
        )
    numbered = [(_read_line(path, row), row.number) for row in table.rows]
    _refuse_repeated(path, numbered)
    frames = [frame for frame, _ in numbered]
    _refuse_falling_days(path, frames)
    return frames


def _refuse_repeated(path: Path, numbered: Sequence[tuple[TimedFrame, int]]) -> None:
    """Refuse two rows for one site and time point, and one picture in two rows."""
    first: dict[object, int] = {}
    for frame, number in numbered:
        place = (frame.place, frame.site, frame.time_point)
        picture = (str(frame.phase), frame.part)
        for key, fault, do in (
            (
                place,
                "site and time point are",
                "give each field its own site, and leave out other planes and channels",
            ),
            (picture, "picture is", "give each row its own picture"),
        ):
            if first.setdefault(key, number) != number:
                raise ConfigError(
                    complaint(
                        f"{fault} listed more than once",
                        where=f"{path} line {number}",
                        expected="one row for each site and time point, with a picture of its own",
                        got=f"{'/'.join(frame.place)}/s{frame.site}/t{frame.time_point:04d},"
                        f" {frame.picture}, as in line {first[key]}",
                        do=do,
                    )
                )


def _refuse_falling_days(path: Path, frames: Sequence[TimedFrame]) -> None:
    """Refuse wells whose days fall while their time points rise."""
    wells: dict[Well, dict[int, float]] = {}
    for frame in frames:
        days = wells.setdefault(frame.place, {})
        days[frame.time_point] = max(frame.day, days.get(frame.time_point, 0.0))
    for place, days in wells.items():
        for (before, early), (after, late) in pairwise(sorted(days.items())):
            if late < early:
                raise ConfigError(
                    complaint(
                        "days fall while time points rise",
                        where=f"{path}, {'/'.join(place)}",
                        expected="days since the differentiation began, which rise",
                        got=f"day {early:g} at time point {before}, day {late:g} at {after}",
                        do="correct column day or time_point",
                    )
                )


def _read_line(path: Path, line: TableRow) -> TimedFrame:
    text = line.fields
    try:
        if line.surplus:
            raise ValueError(f"more fields than columns, {describe_surplus(line)}")
        empty = [name for name in COLUMNS if not text.get(name)]
        if empty:
            raise ValueError(f"{', '.join(empty)} is empty")
        phase = find_picture(path.parent, text["phase"])
        if not phase.is_there:
            advice = missing_advice(phase.path, text["phase"], path.parent)
            raise FileNotFoundError(f"no file {text['phase']}: {advice}")
        scale = text.get("um_per_px")
        return TimedFrame(
            run=text["run"],
            plate=text["plate"],
            well=text["well"],
            site=_index(text, "site"),
            time_point=_index(text, "time_point"),
            day=_read(parse_day, text, "day"),
            phase=phase.path,
            part=phase.part,
            um_per_px=_read(parse_um, text, "um_per_px") if scale else None,
        )
    except (ValueError, OSError, FrameError) as error:
        raise ConfigError(
            complaint(
                "time-lapse table has a wrong line",
                where=f"{path} line {line.number}",
                got=error,
                do="correct the line",
            )
        ) from error


def _index(text: Mapping[str, str], name: str) -> int:
    value = parse_index(text[name])
    if value is None:
        raise ValueError(f"{name} {text[name]!r} is none of 0, 1, 2, ...")
    return value


def _read(parse: Callable[[str], float | None], text: Mapping[str, str], name: str) -> float:
    value = parse(text[name])
    if value is None:
        raise ValueError(f"{name} {text[name]!r} is no number")
    return value
