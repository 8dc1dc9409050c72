"""The record of the runs that a bundle's forecast was learnt from: `report/forecast.json`.

The network was trained on none of them. From the record `recalibrate` refits threshold, error rates
and forecast together with another run, without the pictures.
"""

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.estimation.recalibration import FrameTally, tally
from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.files import write_whole
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.forecasting.forecast_table import WellDay
from scopewatch_training.network.calibrate import ScoredFrame

FORECAST_FILE = "forecast.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeldOutDay(_Strict):
    """A `forecast_table.WellDay`."""

    run: str
    day: float
    estimate: float
    final: float
    trend: float

    def well_day(self) -> WellDay:
        """Return it as the table is fitted on it."""
        return WellDay(
            run=self.run, day=self.day, estimate=self.estimate, final=self.final, trend=self.trend
        )


class HeldOutRecord(_Strict):
    """The forecast table with the data that it was learnt from.

    Parameters
    ----------
    wells
        Every well on every day.
    frames
        How the tiles of the final day scored against their labels.
    """

    runs: tuple[str, ...]
    table: tuple[ForecastDay, ...]
    wells: tuple[HeldOutDay, ...]
    frames: tuple[FrameTally, ...]

    def to_json(self) -> str:
        """Return the text of the record's file."""
        return self.model_dump_json(indent=1) + "\n"


def write_record(folder: Path, record: HeldOutRecord) -> None:
    """Write the record of a bundle, whole or not at all."""
    path = folder / REPORT_FOLDER / FORECAST_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, record.to_json().encode())


def read_record(folder: Path) -> HeldOutRecord:
    """Read the record of a bundle.

    Raises
    ------
    ConfigError
        When there is none, or it is one of an earlier version.
    """
    path = folder / REPORT_FOLDER / FORECAST_FILE
    try:
        return HeldOutRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ConfigError(
            complaint(
                "bundle does not hold the runs that its forecast was learnt from",
                where=path,
                got="no such file" if isinstance(error, FileNotFoundError) else "another version",
                do="run scopewatch-train forecast on the bundle first",
            )
        ) from error


def tally_field(field: ScoredField) -> FrameTally:
    """Count the scores of a field's tiles by their label."""
    counted = field.labels != NOT_COUNTED
    return tally(field.id, field.run, field.labels, field.probability, counted)


def untally(frame: FrameTally) -> ScoredFrame:
    """Return a frame's counted tiles as calibration takes them, in a single row."""
    scores = np.array(frame.scores, dtype=np.float32)
    return ScoredFrame(
        id=frame.id,
        run=frame.run,
        labels=np.concatenate(
            [np.ones(sum(frame.positive), np.int8), np.zeros(sum(frame.negative), np.int8)]
        )[None],
        scores=np.concatenate(
            [np.repeat(scores, frame.positive), np.repeat(scores, frame.negative)]
        )[None],
    )
