"""Frames from NDTiff data sets, also while they grow.

`path` is a data set, or a folder in which data sets appear. Each look (every `poll_s`) finds
new data sets and the images completed in the known ones. While they come as a burst, nothing
is read of them nor offered (`base.rhythm`): there is no hurry, and both cost time and disk.
"""

import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scopewatch.config import ExperimentConfig, NDTiffSourceConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.core.frame import Frame, FrameTicket
from scopewatch.core.ports import Arrivals, Clock, Inbox, Ledger, SourceHealth
from scopewatch.sources.base.arriving import Unheard
from scopewatch.sources.base.backlog import Backlog
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.rhythm import Rhythm
from scopewatch.sources.base.source_thread import SourceThread
from scopewatch.sources.ndtiff.dataset import PER_LOOK, DataSet, Sighting
from scopewatch.sources.ndtiff.find import find_data_sets
from scopewatch.sources.ndtiff.frames import NDTiffFrames
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

log = logging.getLogger(__name__)

PATIENCE_S = 60.0
# A burst of a minute at 160 images a second: they are offered after it.
_MAX_WAITING = 10_000
_GLANCED_AT = 3
# Images of a data set that are read to learn how fast they come: each costs the microscope.
_COUNTED = 20
_CHANNELS_NAMED = 8


@dataclass(slots=True, kw_only=True)
class _Followed:
    """A data set, which folder it is on disk, and its frames on their way.

    `number` is that of the acquisition among those in this folder, `sighted` what waits for it.
    Once it is `caught_up`, what is sighted was saved since the last look.
    """

    identity: tuple[int, int]
    data_set: DataSet
    caught_up: bool
    number: int | None = None
    sighted: list[Sighting] = field(default_factory=list)
    backlog: Backlog = field(default_factory=Backlog)

    @property
    def is_done(self) -> bool:
        """Whether its writer has closed it and all of it was found."""
        return self.data_set.ended and not self.sighted


class NDTiffSource:
    """Follows NDTiff data sets; implements `ports.FrameSource`.

    Parameters
    ----------
    config
        Where the data sets are, and how to read their positions.
    experiment
        Defaults for what they do not say.
    runs
        Turns the path of a data set below the source's into the name of its run, None to leave
        the data set alone; by default `frames.run_name`.
    patience_s
        How long an index may name a TIFF that is missing before that is reported.
    arrivals
        Told of images as they are saved; None: nobody is.

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """

    def __init__(
        self,
        config: NDTiffSourceConfig,
        experiment: ExperimentConfig,
        clock: Clock,
        *,
        limits: ReadLimits = DEFAULT_LIMITS,
        runs: Callable[[str], str | None] | None = None,
        patience_s: float = PATIENCE_S,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._limits = limits
        self._patience_s = patience_s
        self._frames = NDTiffFrames(config, experiment, limits, runs)
        self._rhythm = Rhythm(config.name, config.poll_s, arrivals or Unheard(), self._glance)
        self._thread = SourceThread(config.name, self._step, self._rhythm.tick_s)
        self._offering: Offering | None = None
        self._looked = False
        self._growing: tuple[DataSet, ...] = ()
        self._followed: dict[str, _Followed] = {}
        self._channels: set[str] = set()

    @property
    def name(self) -> str:
        """Name from the configuration."""
        return self._config.name

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Follow what is there and what appears.

        Raises
        ------
        SourceError
            When neither the path nor the folder it would appear in is there.
        """
        path = self._config.path
        if not path.is_dir() and not path.parent.is_dir():
            raise SourceError(
                complaint(
                    "data set cannot be followed",
                    where=path,
                    got="no such folder",
                    do=f"create it, or correct `path` of the source {self.name!r}",
                )
            )
        self._offering = Offering(self.name, inbox, ledger, self._clock)
        self._thread.start()
        self.scan()

    def scan(self) -> None:
        """Look for data sets and images now. Never raises."""
        self._thread.step(full=True)

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame this source offered.

        Raises
        ------
        FrameError
            When they are gone, cut off, or not those that were offered.
        """
        return self._frames.load(ticket)

    def health(self) -> SourceHealth:
        """Say whether new images would be noticed. Never raises."""
        offering = self._offering
        reachable = self._config.path.is_dir() or self._config.path.parent.is_dir()
        followed = list(self._followed.values())
        channels = ", ".join(sorted(self._channels)) or "none yet"
        troubles = [each.data_set.trouble for each in followed if each.data_set.trouble]
        detail = f"{self._config.path}: {len(followed)} data sets, channels {channels}"
        for trouble in (self._thread.trouble, *troubles[:1]):
            detail += f"; {trouble}" if trouble else ""
        return SourceHealth(
            name=self.name,
            alive=self._thread.alive() and reachable,
            detail=detail if reachable else f"{self._config.path} is gone",
            found=offering.found if offering is not None else 0,
            waiting=sum(
                len(each.backlog.waiting) + len(each.sighted) + each.data_set.waiting
                for each in followed
            ),
            ended=bool(followed)
            and all(
                each.data_set.ended and not each.backlog.waiting and not each.sighted
                for each in followed
            ),
        )

    def stop(self) -> None:
        """Stop following; idempotent."""
        self._thread.stop()

    def _step(self, full: bool) -> None:
        offering = self._offering
        if offering is not None and (full or self._rhythm.due(self._clock.monotonic())):
            self._look(offering, full=full)

    def _look(self, offering: Offering, *, full: bool) -> None:
        self._rhythm.begin_look(self._clock.monotonic())
        images = 0
        present = dict(self._data_sets(full=full))
        for label in [label for label in self._followed if label not in present]:
            log.info(
                "data set is gone",
                extra={"event": {"source": self.name, "data_set": label}},
            )
            del self._followed[label]
        for label, folder in present.items():
            if self._thread.stopping:
                return
            try:
                images += self._find_new(offering, label, folder, full=full)
            except OSError as error:
                log.info(
                    "data set cannot be read now",
                    extra={"event": {"source": self.name, "reason": error.strerror}},
                )
        sets = [each.data_set for each in self._followed.values() if not each.data_set.ended]
        self._growing = tuple(sets[-_GLANCED_AT:])
        self._looked = True
        # Told before anything is offered, so that the worker knows of a burst before its images.
        self._rhythm.looked(images)
        for followed in self._followed.values():
            if not self._thread.stopping and not self._rhythm.spares():
                followed.backlog.offer(offering, full=full)

    def _glance(self) -> Hashable:
        """Return the times and sizes of the files that grow as an acquisition goes on."""
        try:
            began_ns = self._config.path.stat().st_mtime_ns
            return began_ns, *(each.glance() for each in self._growing)
        except OSError:
            return None

    def _data_sets(self, *, full: bool) -> Iterator[tuple[str, Path]]:
        """Yield (path relative to the source's, folder) of each data set that is to be followed.

        A folder that was one is looked into again only where `full`.
        """
        for label, folder in find_data_sets(self._config.path, () if full else self._followed):
            if not label or self._frames.run_of(label) is not None:
                yield label, folder

    def _find_new(self, offering: Offering, label: str, folder: Path, *, full: bool) -> int:
        """Look for images in a data set; return how many were saved since the last look."""
        state = folder.stat()
        identity = (state.st_dev, state.st_ino)
        followed = self._followed.get(label)
        same = followed is not None and followed.identity == identity
        if followed is not None and same and not full and followed.is_done:
            return 0  # scans ask whether another was acquired in its place
        if followed is None or not same or followed.data_set.replaced():
            data_set = DataSet(folder, self._limits, self._patience_s)
            followed = self._followed[label] = _Followed(
                identity=identity, data_set=data_set, caught_up=self._looked
            )
            log.info(
                "data set is followed",
                extra={"event": {"source": self.name, "data_set": label or str(folder)}},
            )
        came = 0
        if len(followed.backlog.waiting) < _MAX_WAITING:
            at_most = _COUNTED if self._rhythm.counting else PER_LOOK
            new = followed.data_set.look(self._clock.monotonic(), at_most)
            came = len(new) if followed.caught_up else 0
            followed.caught_up = followed.caught_up or len(new) < at_most
            followed.sighted += new
            if self._rhythm.counting and len(new) >= at_most:
                return came  # a burst, it seems: the ledger is asked after it
            if followed.number is None and (known := followed.data_set.identity) is not None:
                # Until the ledger answers, what was sighted stays in hand.
                followed.number = offering.acquisition(label, known)
            sighted, followed.sighted = followed.sighted, []
            for sighting in sighted:
                found = self._frames.found(label, sighting, followed.number or 1)
                followed.backlog.waiting.append(found)
                if found.key is not None and len(self._channels) < _CHANNELS_NAMED:
                    self._channels.add(found.key.channel)
        else:
            followed.caught_up = False
        return came
