"""Source of frames from NDTiff data sets, also while they grow.

`path` is a data set, or a folder in which data sets appear.
"""

from collections.abc import Callable, Collection, Hashable, Iterator
from pathlib import Path

from scopewatch.config import NDTiffSourceConfig, RunConfig
from scopewatch.core.clock import Clock
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.source import Arrivals
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.data_set import DataSets
from scopewatch.sources.base.data_sets import DataSetsSource
from scopewatch.sources.base.found import Found
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.find import find_data_sets
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.ndtiff.sighting import Sighting
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

PATIENCE_S = 60.0


class NDTiffSource(DataSetsSource[Sighting]):
    """Follows NDTiff data sets; implements `core.source.FrameSource`.

    Parameters
    ----------
    config
        Where the data sets are, and how to read their positions.
    run
        Defaults for facts that they do not state.
    runs
        Returns the name of the run for the path of a data set below the source's, None to ignore
        the data set; by default `frames.run_name`.
    patience_s
        How long an index may name a missing TIFF before that is reported.
    arrivals
        Receives counts of images as they are saved; None: nobody counts.
    gather
        Makes data sets whose frames are several images from those of single ones.

    Raises
    ------
    ConfigError
        When the position pattern is invalid.
    """

    def __init__(
        self,
        config: NDTiffSourceConfig,
        run: RunConfig,
        clock: Clock,
        *,
        limits: ReadLimits = DEFAULT_LIMITS,
        runs: Callable[[str], str | None] | None = None,
        patience_s: float = PATIENCE_S,
        arrivals: Arrivals | None = None,
        gather: Callable[[DataSets[Sighting], NDTiffFrames], DataSets[Sighting]] | None = None,
    ) -> None:
        frames = NDTiffFrames(config, run, limits, runs)
        sets = _DataSets(config.path, frames, limits, patience_s)
        super().__init__(
            config.name,
            config.path,
            config.poll_s,
            sets=sets if gather is None else gather(sets, frames),
            clock=clock,
            arrivals=arrivals,
        )


class _DataSets:
    """The data sets at or below a path; implements `base.data_set.DataSets`."""

    def __init__(
        self, root: Path, frames: NDTiffFrames, limits: ReadLimits, patience_s: float
    ) -> None:
        self._root = root
        self._frames = frames
        self._limits = limits
        self._patience_s = patience_s

    def find(self, known: Collection[str]) -> Iterator[tuple[str, Path]]:
        for label, folder in find_data_sets(self._root, known):
            if not label or self._frames.run_of(label) is not None:
                yield label, folder

    def open(self, folder: Path) -> "_Followed":
        return _Followed(DataSet(folder, self._limits, self._patience_s))

    def found(self, label: str, sighting: Sighting, number: int) -> Found:
        return self._frames.found(label, sighting, number)

    def load(self, ticket: FrameTicket) -> Frame:
        return self._frames.load(ticket)


class _Followed:
    """Follows a data set as a whole; implements `base.data_set.DataSet`."""

    def __init__(self, data_set: DataSet) -> None:
        self._data_set = data_set

    @property
    def waiting(self) -> int:
        return self._data_set.waiting

    @property
    def undecided(self) -> int:
        return self._data_set.undecided

    @property
    def ended(self) -> bool:
        return self._data_set.ended

    @property
    def trouble(self) -> str:
        return self._data_set.trouble or ""

    def glance(self) -> Hashable:
        return self._data_set.glance()

    def is_replaced(self) -> bool:
        return self._data_set.replaced()

    def look(self, now_s: float, *, full: bool, at_most: int) -> list[Sighting]:  # noqa: ARG002
        return self._data_set.look(now_s, at_most)

    def part(self, sighting: Sighting) -> str | None:
        return None if sighting.image is None else ""

    def identity(self, _part: str, _now_s: float) -> str | None:
        return self._data_set.identity

    def is_unproven(self, _sighting: Sighting) -> bool:
        return False

    def prove(self, _sighting: Sighting, _now_s: float) -> bool:
        return True
