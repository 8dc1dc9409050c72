"""A prepared data set: normalised phase frames beside registered fluorescence, on disk.

    dataset.json        settings, and one record for each pair
    views/<id>.npy      (H, W) float16, `core.imaging.normalise.normalise` of the phase frame
    signals/<id>.npy    (H, W) float32, counts above background, on the phase frame; NaN: unknown
    pairs/<id>.json     the record of each pair as it was finished, so that `prepare` can go on
    corrections.json    what people corrected, where they did; see `corrections`

Labels are not stored: they depend on thresholds that are fitted on training runs only. Frames
are read from disk one at a time, so that a data set may be larger than the memory.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.labels import Labels, label_pair
from scopewatch.core.imaging.normalise import NormaliseSpec
from scopewatch_training.dataset.corrections.file import read_corrections, refuse_misfit
from scopewatch_training.dataset.corrections.plane import CorrectedSignal
from scopewatch_training.dataset.corrections.record import Corrections
from scopewatch_training.dataset.doubts import Doubt
from scopewatch_training.dataset.manifest import require_runs
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.planes import Plane, StoredPlane, map_plane
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A prepared data set; frames are read when asked for.

    Parameters
    ----------
    um_per_px
        The one scale of all pairs; None where it is not known.
    data_sha256
        Hash over the settings, all pairs' pictures, and corrections that change a label.
    pairs
        All pairs, refused ones included, in the order of the manifest.
    labels, binarise
        How tiles are labelled by default.
    doubts
        What a person should look at before training; none in a data set of an earlier version.
    corrections
        Applied: dropped pairs are refused ones, and corrected tiles have the labels people gave.
    mark_version
        `looks.MARK_VERSION` of the pairs' perceptual hashes; 0 where pairs have no hashes.
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
    corrections: Corrections | None = None
    mark_version: int = 0

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
        """Return the signal of a pair: (H, W) float32, NaN where unknown, mapped from disk.

        It is as measured, for pictures; labels are those of `label`.
        """
        return map_plane(self.folder / pair.signal)

    def stored(self, pair: Pair, labels: LabelSettings) -> tuple[Plane, Plane]:
        """Return view and corrected signal of a pair as planes that read crops from disk.

        Raises
        ------
        ConfigError
            When tiles were corrected whose side is not that of `labels`.
        """
        shape = (pair.height, pair.width)
        view = StoredPlane(path=self.folder / pair.view, shape=shape)
        signal = StoredPlane(path=self.folder / pair.signal, shape=shape)
        review = None if self.corrections is None else self.corrections.find(pair.id)
        if self.corrections is None or review is None or not review.tiles:
            return view, signal
        if labels.tile_px != self.corrections.tile_px:
            raise ConfigError(
                complaint(
                    "labels were corrected for tiles of another size",
                    where=f"{self.folder}, {pair}",
                    expected=f"tiles of {self.corrections.tile_px} px",
                    got=f"{labels.tile_px} px",
                    do=f"use --tile-px {self.corrections.tile_px}, or move corrections.json away",
                )
            )
        return view, CorrectedSignal(plane=signal, tiles=review.labels, settings=labels)

    def label(self, pair: Pair, threshold: float, settings: LabelSettings) -> Labels:
        """Return the labels of a pair, corrected ones included: (rows, cols) int8.

        Raises
        ------
        ConfigError
            See `stored`.
        """
        return label_pair(self.stored(pair, settings)[1][:, :], threshold, settings)[1]

    def describe_corrections(self) -> str:
        """Return how much people corrected, in words; '' where nothing changes a label."""
        return "" if self.corrections is None else self.corrections.describe()

    def corrections_note(self) -> tuple[str, ...]:
        """Return the sentence on corrections beside figures; none where nothing changes a label."""
        described = self.describe_corrections()
        return (f"In this data set {described}.",) if described else ()

    def read_corrections(self) -> Corrections | None:
        """Read what people corrected so far, without applying it; None where nothing is.

        Raises
        ------
        ConfigError
            When it cannot be read, or was made for another data set.
        """
        found = read_corrections(self.folder)
        if found is not None:
            refuse_misfit(found, self.pairs, self.labels.tile_px, self.folder)
        return found

    def require_runs(self, at_least: int = 2) -> None:
        """Raise ConfigError when there are too few runs to hold whole ones out."""
        require_runs(self.runs(), where=self.folder, at_least=at_least)
