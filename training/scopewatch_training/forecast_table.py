"""`forecast`: how the final efficiency follows from that of an earlier day, and how surely.

For each day a straight line from the estimate of that day to the final efficiency, and the
interval that held the truth in wells of runs that the line was not fitted on.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.analyse import analyse
from scopewatch.core.card import ForecastDay
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.frame import Frame, FrameKey
from scopewatch.core.ports import Scorer
from scopewatch.sources.readers import read_plane

COLUMNS = ("run", "plate", "well", "site", "time_point", "day", "phase")
COVERAGE = 0.9
FEWEST_WELLS = 6
Well = tuple[str, str, str]


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
class WellDay:
    """Estimate of a well on a day, and what it finally came to; fractions."""

    run: str
    day: float
    estimate: float
    final: float


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


def estimate_wells(
    frames: Sequence[TimedFrame],
    scorer: Scorer,
    finals: Mapping[Well, float],
    monotonic: Callable[[], float],
    progress: Callable[[int, int], None] | None = None,
) -> list[WellDay]:
    """Score all frames of wells whose final efficiency is known, as the daemon does.

    Frames that quality refuses are left out; sites of one well and moment are averaged.
    """
    known = [frame for frame in frames if frame.place in finals]
    sites: dict[tuple[Well, float], list[float]] = {}
    for done, frame in enumerate(known, start=1):
        result = analyse(_load(frame), scorer, monotonic)
        if result.efficiency is not None:
            sites.setdefault((frame.place, round(frame.day, 2)), []).append(result.efficiency.value)
        if progress is not None:
            progress(done, len(known))
    return [
        WellDay(run=place[0], day=day, estimate=float(np.mean(values)), final=finals[place])
        for (place, day), values in sites.items()
    ]


def fit_forecast(wells: Sequence[WellDay]) -> tuple[ForecastDay, ...]:
    """Fit one row for each day on which at least six wells of two runs were seen.

    `better_than_prior` says whether, on this day and on all later ones, the interval is narrower
    than that of simply expecting the mean final efficiency of the other runs.
    """
    rows: list[ForecastDay] = []
    narrower: list[bool] = []
    for day in sorted({well.day for well in wells}):
        members = [well for well in wells if well.day == day]
        if len({well.run for well in members}) < 2 or len(members) < FEWEST_WELLS:
            continue
        intercept, slope = _line(members)
        half_width = _half_width(members, _line)
        prior = _half_width(members, _mean_only)
        narrower.append(half_width < prior)
        rows.append(
            ForecastDay(
                day=day,
                intercept=round(intercept, 5),
                slope=round(slope, 5),
                half_width=round(min(1.0, half_width), 5),
                better_than_prior=False,
            )
        )
    lasting = [all(narrower[index:]) for index in range(len(rows))]
    return tuple(
        row.model_copy(update={"better_than_prior": better})
        for row, better in zip(rows, lasting, strict=True)
    )


def _line(wells: Sequence[WellDay]) -> tuple[float, float]:
    """Least-squares line, its slope drawn towards 0 as by one more well at the mean."""
    estimate, final = _columns(wells)
    centred = estimate - estimate.mean()
    spread = float(centred @ centred)
    slope = float(centred @ final) / (spread + max(spread / len(wells), 1e-4))
    return float(final.mean() - slope * estimate.mean()), slope


def _mean_only(wells: Sequence[WellDay]) -> tuple[float, float]:
    """Expect what the other runs came to, whatever is seen: the prior."""
    return float(_columns(wells)[1].mean()), 0.0


def _half_width(
    wells: Sequence[WellDay], fit: Callable[[Sequence[WellDay]], tuple[float, float]]
) -> float:
    """Conformal quantile of the errors on runs left out one after the other.

    Runs weigh alike: their wells share whatever went differently on that run.
    """
    errors, weights = [], []
    for run in sorted({well.run for well in wells}):
        rest = [well for well in wells if well.run != run]
        held = [well for well in wells if well.run == run]
        intercept, slope = fit(rest)
        estimate, final = _columns(held)
        error = np.abs(np.clip(intercept + slope * estimate, 0, 1) - final)
        errors.append(error)
        weights.append(np.full(len(held), 1 / len(held)))
    pooled, weight = np.concatenate(errors), np.concatenate(weights)
    count = len(pooled)
    level = min(1.0, ceil((count + 1) * COVERAGE) / count)
    order = np.argsort(pooled)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(pooled[order][min(int(np.searchsorted(reached, level - 1e-9)), count - 1)])


def _columns(wells: Sequence[WellDay]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([well.estimate for well in wells]),
        np.array([well.final for well in wells]),
    )


def _load(frame: TimedFrame) -> Frame:
    plane = read_plane(frame.phase)
    return Frame(
        key=FrameKey(
            experiment=frame.run,
            plate=frame.plate,
            well=frame.well,
            site=frame.site,
            time_point=frame.time_point,
            channel="phase",
        ),
        pixels=plane.pixels,
        pixel_size_um=frame.um_per_px,
        acquired_at=None,
    )


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
