"""What was understood of a folder, and the tables that it is written to."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairing import write_manifest
from scopewatch_training.dataset.pictures import PictureRef

TIMELAPSE_COLUMNS: Final = (
    *("run", "plate", "well", "site", "time_point", "um_per_px", "day", "phase"),
)

Place = tuple[str, str, str, int, int]
"""(run, plate, well, site, time point)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFrame:
    """A phase frame of a run: a row of a time-lapse table."""

    place: Place
    picture: PictureRef
    um_per_px: float | None
    day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSurvey:
    """What is understood of one run.

    Parameters
    ----------
    read_by
        What states the wells of its frames: metadata, or names by a layout or an expression.
    interval_h
        Hours between time points.
    frames
        Number of frames by channel.
    """

    run: str
    read_by: str
    interval_h: float
    frames: Mapping[str, int]
    plates: tuple[str, ...]
    wells: tuple[str, ...]
    sites: int
    time_points: int
    pairs: int
    days: tuple[float, float] | None
    um_per_px: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSurvey:
    """What a folder holds.

    Parameters
    ----------
    phase, fluorescence
        The two channels, each with the reason of its choice.
    others
        Number of frames of other channels.
    unpaired
        Fluorescence frames without a phase frame.
    dated
        Whether days count from the first date in the names of a run.
    left_out
        (number of files, example) of each reason for which files are not read.
    """

    root: Path
    one_run: bool
    phase: tuple[str, str]
    fluorescence: tuple[str, str]
    others: Mapping[str, int]
    runs: tuple[RunSurvey, ...]
    pairs: tuple[PairRow, ...]
    phase_frames: tuple[PhaseFrame, ...]
    unpaired: tuple[str, ...]
    left_out: Mapping[str, tuple[int, str]]
    dated: bool = False


def write_survey(survey: FolderSurvey, pairs: Path, timelapse: Path, *, overwrite: bool) -> None:
    """Write both tables, with absolute paths.

    Raises
    ------
    ConfigError
        When one is there already and is not to be replaced, or cannot be written.
    """
    rows = [
        (*each.place, "" if each.um_per_px is None else each.um_per_px, each.day, each.picture)
        for each in survey.phase_frames
    ]
    refuse_replacing((pairs, timelapse), overwrite=overwrite)
    pairs.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(survey.pairs, pairs)
    with timelapse.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(TIMELAPSE_COLUMNS)
        writer.writerows(rows)


def refuse_replacing(files: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse to write over tables, which a person may have corrected.

    Raises
    ------
    ConfigError
        When one of them is there, and `overwrite` is not set.
    """
    there = [str(file) for file in files if file.exists()]
    if there and not overwrite:
        raise ConfigError(
            complaint(
                "table is there already",
                where=", ".join(there),
                do="give another --out, or --overwrite to replace it",
            )
        )
