"""Results for spreadsheets and scripts."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TextIO

from scopewatch.core.estimation.forecast import NoForecast
from scopewatch.core.public_names import public_fields
from scopewatch.core.well_name import WellName
from scopewatch.store.files.whole_files import whole_file
from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.frames import FrameRecord
from scopewatch.store.read.records.runs_and_wells import CoursePoint, Outlook
from scopewatch.store.schema.columns import FrameState

SCHEMA_VERSION: Final = 1
COLUMNS: Final = (
    *("experiment", "simulated", "plate", "well", "site", "time_point", "channel", "state"),
    *("day", "acquired_at", "positive_fraction", "efficiency", "low", "high", "corrected"),
    *("well_efficiency", "well_low", "well_high", "well_sites"),
    *("well_now", "well_now_low", "well_now_high", "well_trend_per_day"),
    *("forecast", "forecast_low", "forecast_high", "forecast_day", "no_forecast"),
    *("pixel_size_um", "model_id", "fault", "reason", "overlay", "stain", "source", "locator"),
    *("z", "z_planes"),
)
_MOST: Final = 1_000_000


def _silent(_: int) -> None:
    """Report nothing."""


def export_csv(reader: Reader, to: Path | TextIO, progress: Callable[[int], None] = _silent) -> int:
    """Write one line per frame, with what was known of its well at that time point beside it.

    A frame that was due and never came has a line of its own, state ``missed``.

    Fractions are 0 to 1, times are UTC, days count from the start of the run.

    Parameters
    ----------
    to
        A file, which is whole or not there, or an open stream.
    progress
        Called with the lines written so far.

    Returns
    -------
    The number of frames, without those that were missed.
    """
    simulated = {run.name: run.simulated for run in reader.runs()}
    count = written = 0
    with _opened(to) as file:
        lines = csv.DictWriter(file, COLUMNS)
        lines.writeheader()
        for name, frames in _by_well(reader):
            course = {point.time_point: point for point in reader.course(name, _MOST)}
            outlooks = {outlook.time_point: outlook for outlook in reader.outlooks(name, _MOST)}
            for frame in frames:
                moment = frame.key.time_point
                line = _line(frame, course.get(moment)) | _ahead(outlooks.get(moment))
                lines.writerow(line | {"simulated": simulated[name.run]})
                count += frame.state != FrameState.MISSED
                written += 1
            progress(written)
    return count


def export_json(
    reader: Reader, to: Path | TextIO, progress: Callable[[int], None] = _silent
) -> int:
    """Write everything but pixels: runs, wells with their courses and frames, alerts, refusals.

    One well and one run after the other is written, so that a history of any size takes little
    memory.

    Parameters
    ----------
    to
        A file, which is whole or not there, or an open stream.
    progress
        Called with the frames written so far.

    Returns
    -------
    The number of frames, without those that were missed.
    """
    count = written = 0
    with _opened(to) as file:
        file.write(f'{{"schema_version": {SCHEMA_VERSION},\n"runs": {_dump(list(reader.runs()))},')
        file.write('\n"wells": [')
        for number, (name, group) in enumerate(_by_well(reader)):
            frames = list(group)
            well = {
                **dict(public_fields(name)),
                "course": list(reader.course(name, _MOST)),
                "outlooks": list(reader.outlooks(name, _MOST)),
                "frames": frames,
            }
            file.write((",\n" if number else "\n") + _dump(well))
            count += sum(frame.state != FrameState.MISSED for frame in frames)
            written += len(frames)
            progress(written)
        file.write('],\n"alerts": ')
        _write_list(file, _alerts(reader))
        file.write(',\n"refused": ')
        _write_list(file, reader.refused())
        file.write("}\n")
    return count


@contextmanager
def _opened(to: Path | TextIO) -> Iterator[TextIO]:
    if isinstance(to, Path):
        with whole_file(to) as begun, begun.open("w", encoding="utf-8", newline="") as file:
            yield file
    else:
        yield to
        to.flush()


def _alerts(reader: Reader) -> Iterator[AlertRow]:
    """Yield all alerts, run by run."""
    for run in reader.alerted_runs():
        yield from reader.alerts(None, _MOST, runs=[run])


def _write_list(file: TextIO, values: Iterable[object]) -> None:
    """Write values as a JSON list, one after the other."""
    file.write("[")
    for number, value in enumerate(values):
        file.write((",\n" if number else "\n") + _dump(value))
    file.write("]")


def _by_well(reader: Reader) -> Iterator[tuple[WellName, Iterator[FrameRecord]]]:
    def well(frame: FrameRecord) -> WellName:
        key = frame.key
        return WellName(run=key.run, plate=key.plate, well=key.well)

    return groupby(reader.frames(), well)


def _line(frame: FrameRecord, point: CoursePoint | None) -> dict[str, Any]:
    key, own = frame.key, frame.efficiency
    return {
        "experiment": key.run,
        "plate": key.plate,
        "well": key.well,
        "site": key.site,
        "time_point": key.time_point,
        "channel": key.channel,
        "state": frame.state,
        "day": frame.day,
        "acquired_at": frame.acquired_at.isoformat() if frame.acquired_at else None,
        "positive_fraction": frame.positive_fraction,
        "efficiency": own.value if own else None,
        "low": own.low if own else None,
        "high": own.high if own else None,
        "corrected": own.corrected if own else None,
        "well_efficiency": point.efficiency.value if point else None,
        "well_low": point.efficiency.low if point else None,
        "well_high": point.efficiency.high if point else None,
        "well_sites": point.sites if point else None,
        "pixel_size_um": frame.pixel_size_um,
        "model_id": frame.model_id,
        "fault": frame.fault,
        "reason": frame.reason,
        "overlay": frame.overlay,
        "stain": frame.stain,
        "source": frame.source,
        "locator": frame.locator,
        "z": frame.z,
        "z_planes": frame.z_planes,
    }


def _ahead(outlook: Outlook | None) -> dict[str, Any]:
    """Return where the well stood at a time point and what it was expected to come to."""
    if outlook is None:
        return {}
    forecast = outlook.forecast
    line: dict[str, Any] = {
        "well_now": outlook.now,
        "well_now_low": outlook.low,
        "well_now_high": outlook.high,
        "well_trend_per_day": outlook.trend_per_day,
    }
    if isinstance(forecast, NoForecast):
        return line | {"no_forecast": forecast.cause.value}
    return line | {
        "forecast": forecast.value,
        "forecast_low": forecast.low,
        "forecast_high": forecast.high,
        "forecast_day": forecast.final_day,
    }


def _dump(value: object) -> str:
    return json.dumps(value, default=_json, ensure_ascii=False)


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        # Its own fields alone: the encoder asks again for what is within.
        return dict(public_fields(value))
    raise TypeError(f"{value!r} is not for JSON")
