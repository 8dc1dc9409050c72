"""Results for spreadsheets and scripts."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from scopewatch.core.message import WellName
from scopewatch.store.files import whole_file
from scopewatch.store.queries import Reader
from scopewatch.store.records import CoursePoint, FrameRecord

SCHEMA_VERSION: Final = 1
COLUMNS: Final = (
    *("experiment", "simulated", "plate", "well", "site", "time_point", "channel", "state"),
    *("day", "acquired_at", "positive_fraction", "efficiency", "low", "high", "corrected"),
    *("well_efficiency", "well_low", "well_high", "well_sites"),
    *("pixel_size_um", "model_id", "fault", "reason", "overlay", "stain", "source", "locator"),
)
_MOST: Final = 1_000_000


def export_csv(reader: Reader, path: Path) -> int:
    """Write one line per frame, with its well's efficiency at that time point beside its own.

    Fractions are 0 to 1, times are UTC, days count from the start of the run.

    Returns
    -------
    The number of frames.
    """
    simulated = {run.name: run.simulated for run in reader.runs()}
    count = 0
    with whole_file(path) as begun, begun.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, COLUMNS)
        lines.writeheader()
        for name, frames in _by_well(reader):
            course = {point.time_point: point for point in reader.course(name, _MOST)}
            for frame in frames:
                line = _line(frame, course.get(frame.key.time_point))
                lines.writerow(line | {"simulated": simulated[name.experiment]})
                count += 1
    return count


def export_json(reader: Reader, path: Path) -> int:
    """Write everything but pixels: runs, wells with their courses and frames, alerts, refusals.

    Returns
    -------
    The number of frames.
    """
    wells = []
    count = 0
    for name, group in _by_well(reader):
        frames = [asdict(frame) for frame in group]
        course = [asdict(point) for point in reader.course(name, _MOST)]
        wells.append({**asdict(name), "course": course, "frames": frames})
        count += len(frames)
    whole = {
        "schema_version": SCHEMA_VERSION,
        "runs": [asdict(run) for run in reader.runs()],
        "wells": wells,
        "alerts": [asdict(alert) for alert in reader.alerts(None, _MOST)],
        "refused": [asdict(row) for row in reader.refused(None, _MOST) if row.well is None],
    }
    with whole_file(path) as begun:
        begun.write_text(json.dumps(whole, indent=1, default=_json), encoding="utf-8")
    return count


def _by_well(reader: Reader) -> Iterator[tuple[WellName, Iterator[FrameRecord]]]:
    def well(frame: FrameRecord) -> WellName:
        key = frame.key
        return WellName(experiment=key.experiment, plate=key.plate, well=key.well)

    return groupby(reader.frames(), well)


def _line(frame: FrameRecord, point: CoursePoint | None) -> dict[str, Any]:
    key, own = frame.key, frame.efficiency
    return {
        "experiment": key.experiment,
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
    }


def _json(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not for JSON")
