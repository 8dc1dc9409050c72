"""Time-lapses of whole runs: the table of their frames, and the time points of their wells."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scopewatch.core.alerts.wells import Look
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.monitoring.well_facts import Seen

COLUMNS = ("run", "plate", "well", "site", "time_point", "day", "phase")
Well = tuple[str, str, str]
"""(run, plate, well)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedFrame:
    """A phase frame of a time-lapse: where it lies and on which day it was taken."""

    run: str
    plate: str
    well: str
    site: int
    time_point: int
    day: float
    phase: Path
    um_per_px: float | None

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
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            lines = list(enumerate(reader, start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            complaint("time-lapse table cannot be read", where=path, got=error, do="give a CSV")
        ) from error
    if missing or not lines:
        raise ConfigError(
            complaint(
                "time-lapse table is incomplete",
                where=path,
                expected=f"columns {', '.join(COLUMNS)} and a line for each frame",
                got=f"no {', '.join(missing)}" if missing else "no line",
                do="add what is missing",
            )
        )
    return [_read_line(path, number, line) for number, line in lines]


def _read_line(path: Path, number: int, line: Mapping[str, str | None]) -> TimedFrame:
    text = {name: (value or "").strip() for name, value in line.items() if name}
    try:
        phase = path.parent / text["phase"]
        if not phase.is_file():
            raise FileNotFoundError(f"no file {text['phase']}")
        scale = text.get("um_per_px")
        return TimedFrame(
            run=text["run"],
            plate=text["plate"],
            well=text["well"],
            site=int(text["site"]),
            time_point=int(text["time_point"]),
            day=float(text["day"]),
            phase=phase,
            um_per_px=float(scale) if scale else None,
        )
    except (ValueError, OSError, FrameError) as error:
        raise ConfigError(
            complaint(
                "time-lapse table has a wrong line",
                where=f"{path} line {number}",
                got=error,
                do="correct the line",
            )
        ) from error
