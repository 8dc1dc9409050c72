"""A prepared data set: normalised phase frames beside registered fluorescence, on disk.

    dataset.json        settings, and one record for each pair
    views/<id>.npy      (H, W) float16, `core.imaging.normalise.normalise` of the phase frame
    signals/<id>.npy    (H, W) float32, counts above background, on the phase frame; NaN: unknown
    pairs/<id>.json     the record of each pair as it was finished, so that `prepare` can go on

Labels are not stored: they depend on thresholds that are fitted on training runs only. Frames
are read from disk one at a time, so that a data set may be larger than the memory.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.histogram import BINS, Counts
from scopewatch.core.imaging.normalise import NormaliseSpec
from scopewatch_training.dataset.doubts import Doubt
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.manifest import require_runs
from scopewatch_training.dataset.planes import StoredPlane, map_plane
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings

SCHEMA_VERSION: Final = 1
INDEX: Final = "dataset.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """One phase frame and its signal, or the reason why it was refused.

    Parameters
    ----------
    id
        Unique name, fit for a file.
    phase, fluorescence
        The pictures it was made from.
    height, width
        Of view and signal, in pixels; 0 when refused.
    offset_px
        (dy, dx) of the fluorescence against the phase frame, that was undone.
    registration_confidence
        0 to 1; 0 where the offset was not measured on this pair.
    note
        Exceptional processing, in words.
    refused
        Why the pair is not used; None when it is.
    noise
        Standard deviation of the camera's noise in the signal, in counts.
    histogram
        (512,) int64, `histogram.count_signal` of the signal.
    measures
        `core.imaging.quality.measure` of the phase frame.
    source_sha256
        Hash of the two pictures' pixels.
    phase_look, fluorescence_look
        Descriptions of the two pictures, as they were read.
    role_score
        `looks.role_score`; None where the fluorescence shows too little to judge by.
    """

    id: str
    run: str
    plate: str
    well: str
    site: int
    time_point: int
    day: float | None
    phase: str
    fluorescence: str
    height: int = 0
    width: int = 0
    um_per_px: float | None = None
    offset_px: tuple[float, float] = (0.0, 0.0)
    registration_confidence: float = 0.0
    note: str = ""
    refused: str | None = None
    view: str = ""
    signal: str = ""
    noise: float = 0.0
    histogram: Counts = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    measures: dict[str, float] = field(default_factory=dict)
    source_sha256: str = ""
    phase_look: Look = field(default_factory=Look)
    fluorescence_look: Look = field(default_factory=Look)
    role_score: float | None = None

    @property
    def group(self) -> str:
        """`run/plate/well`: fields of one well belong together."""
        return f"{self.run}/{self.plate}/{self.well}"

    def __str__(self) -> str:
        return f"{self.group}/s{self.site}/t{self.time_point:04d}"

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            **values,
            "offset_px": list(self.offset_px),
            "histogram": self.histogram.tolist(),
            "phase_look": asdict(self.phase_look),
            "fluorescence_look": asdict(self.fluorescence_look),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Pair":
        """Read what `to_json` wrote."""
        histogram = np.array(values["histogram"], dtype=np.int64)
        dy, dx = values["offset_px"]
        looks = {name: Look(**values.get(name, {})) for name in ("phase_look", "fluorescence_look")}
        return cls(**{**values, **looks, "offset_px": (dy, dx), "histogram": histogram})


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A prepared data set; frames are read when asked for.

    Parameters
    ----------
    um_per_px
        The one scale of all pairs; None where it is not known.
    data_sha256
        Hash over the settings and all pairs' pictures.
    pairs
        All pairs, refused ones included, in the order of the manifest.
    labels, binarise
        How tiles are labelled by default.
    doubts
        What a person should look at before training; none in a data set of an earlier version.
    """

    folder: Path
    created_at: str
    um_per_px: float | None
    marker: str
    settings: PrepareSettings
    data_sha256: str
    simulated: bool
    pairs: tuple[Pair, ...]
    labels: LabelSettings = field(default_factory=LabelSettings)
    binarise: BinariseSettings = field(default_factory=BinariseSettings)
    doubts: tuple[Doubt, ...] = ()

    @property
    def normalisation(self) -> NormaliseSpec:
        """Of the views."""
        return self.settings.normalisation

    @cached_property
    def accepted(self) -> tuple[Pair, ...]:
        """The pairs that were not refused."""
        return tuple(pair for pair in self.pairs if pair.refused is None)

    def runs(self) -> list[str]:
        """Names of the runs with an accepted pair, in the order of the manifest."""
        return list(dict.fromkeys(pair.run for pair in self.accepted))

    def of_runs(self, runs: Collection[str]) -> tuple[Pair, ...]:
        """Accepted pairs of some runs.

        Raises
        ------
        ConfigError
            When a run is unknown.
        """
        unknown = sorted(set(runs) - set(self.runs()))
        if unknown:
            raise ConfigError(
                complaint(
                    "run is not in the data set",
                    where=self.folder,
                    expected=f"of {', '.join(self.runs())}",
                    got=", ".join(unknown),
                    do="name runs as the manifest does",
                )
            )
        return tuple(pair for pair in self.accepted if pair.run in runs)

    def view(self, pair: Pair) -> NDArray[np.float16]:
        """Return the normalised phase frame of a pair: (H, W) float16, mapped from disk."""
        return map_plane(self.folder / pair.view)

    def signal(self, pair: Pair) -> NDArray[np.float32]:
        """Return the signal of a pair: (H, W) float32, NaN where unknown, mapped from disk."""
        return map_plane(self.folder / pair.signal)

    def stored(self, pair: Pair) -> tuple[StoredPlane, StoredPlane]:
        """Return view and signal of a pair as planes that read crops from disk."""
        shape = (pair.height, pair.width)
        return (
            StoredPlane(path=self.folder / pair.view, shape=shape),
            StoredPlane(path=self.folder / pair.signal, shape=shape),
        )

    def require_runs(self, at_least: int = 2) -> None:
        """Raise ConfigError when there are too few runs to hold whole ones out."""
        require_runs(self.runs(), where=self.folder, at_least=at_least)


def open_dataset(folder: Path) -> Dataset:
    """Open a data set that `prepare` wrote.

    Raises
    ------
    ConfigError
        When it is not there, not finished, or of another schema.
    """
    path = folder / INDEX
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            complaint(
                "not a prepared data set",
                where=path,
                got="no such file" if isinstance(error, FileNotFoundError) else error,
                do="run scopewatch-train prepare to its end",
            )
        ) from error
    if version != SCHEMA_VERSION:
        raise ConfigError(
            complaint(
                "data set is of another version",
                where=path,
                expected=f"schema_version {SCHEMA_VERSION}",
                got=version,
                do="run prepare again",
            )
        )
    return Dataset(
        folder=folder,
        created_at=values["created_at"],
        um_per_px=values["um_per_px"],
        marker=values["marker"],
        settings=PrepareSettings.from_json(values["settings"]),
        data_sha256=values["data_sha256"],
        simulated=values["simulated"],
        pairs=tuple(Pair.from_json(pair) for pair in values["pairs"]),
        labels=LabelSettings(**values["labels"]),
        binarise=BinariseSettings.from_json(values["binarise"]),
        doubts=tuple(Doubt.from_json(each) for each in values.get("doubts", ())),
    )


def index_json(dataset: Dataset) -> dict[str, Any]:
    """Return `dataset.json` as JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": dataset.created_at,
        "um_per_px": dataset.um_per_px,
        "marker": dataset.marker,
        "normalisation": asdict(dataset.normalisation),
        "settings": dataset.settings.to_json(),
        "labels": dataset.labels.to_json(),
        "binarise": dataset.binarise.to_json(),
        "data_sha256": dataset.data_sha256,
        "simulated": dataset.simulated,
        "doubts": [doubt.to_json() for doubt in dataset.doubts],
        "pairs": [pair.to_json() for pair in dataset.pairs],
    }


def group_by_run(pairs: Iterable[Pair]) -> dict[str, tuple[Pair, ...]]:
    """Pairs by their run, in order."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.run, []).append(pair)
    return {run: tuple(members) for run, members in groups.items()}


def refused(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Name and reason of each refused pair."""
    return [(str(pair), pair.refused) for pair in pairs if pair.refused is not None]
