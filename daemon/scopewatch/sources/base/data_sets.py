"""Source of growing data sets: finds them, looks at them repeatedly, offers their frames.

A `DataSets` implementation defines what a data set is and how its frames are named and read.
During a burst of frames nothing is read or offered (`rhythm`): that would cost the microscope
time and disk bandwidth.
"""

import math
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Generic

from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, complaint
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.source import Arrivals, Inbox, Ledger, SourceHealth
from scopewatch.core.tickets import FrameTicket, RetryRequest
from scopewatch.event_log import get_logger
from scopewatch.sources.base.arrivals import NullArrivals
from scopewatch.sources.base.away import Presence
from scopewatch.sources.base.data_set import DataSet, DataSets, Sighting
from scopewatch.sources.base.data_set_retries import DataSetRetries, holds
from scopewatch.sources.base.followed import FollowedDataSet
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.rhythm import Rhythm
from scopewatch.sources.base.source_thread import SourceThread
from scopewatch.sources.base.stacks.collecting import Stacks
from scopewatch.sources.base.stacks.loading import load_sharpest

log = get_logger(__name__)

# A burst of one minute at 160 images per second: its images are offered after it.
_MAX_WAITING = 10_000
_GLANCED_AT = 3
# Images of a data set that are read to measure their rate: each read slows the microscope.
_COUNTED = 20
_PER_LOOK = 1000
_CHANNELS_NAMED = 8


class DataSetsSource(Generic[Sighting]):
    """Follows the data sets of one kind; implements `core.source.FrameSource`.

    Parameters
    ----------
    name, path, poll_s
        From the configuration.
    arrivals
        Receives counts of images as they are saved; None: nobody counts.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        poll_s: float,
        *,
        sets: DataSets[Sighting],
        clock: Clock,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._name = name
        self._path = path
        self._sets = sets
        self._clock = clock
        self._rhythm = Rhythm(name, poll_s, arrivals or NullArrivals(), self._glance)
        self._thread = SourceThread(name, self._step, self._rhythm.tick_s)
        self._offering: Offering | None = None
        self._presence = Presence(path)
        self._looked = False
        self._growing: tuple[DataSet[Sighting], ...] = ()
        self._followed: dict[str, FollowedDataSet[Sighting]] = {}
        self._channels: set[str] = set()
        self._retries: DataSetRetries[Sighting] = DataSetRetries(path)
        self._stacks = Stacks()

    @property
    def name(self) -> str:
        """Name from the configuration."""
        return self._name

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Start to follow existing data sets and new ones.

        Raises
        ------
        SourceError
            When the path existed and is gone, or its parent folder does not exist.
        """
        offering = Offering(self.name, inbox, ledger, self._clock)
        offering.recall_presence(self._presence)
        if self._presence.is_gone():
            raise SourceError(
                complaint(
                    "folder of the data sets is gone",
                    where=self._path,
                    do="mount its share or disk, or put it back; scopewatch keeps looking for it",
                )
            )
        if not self._presence.is_there() and not self._presence.is_awaited():
            raise SourceError(
                complaint(
                    "data set cannot be followed",
                    where=self._path,
                    got="no such folder",
                    do=f"create it, or correct `path` of the source {self.name!r}",
                )
            )
        self._offering = offering
        self._thread.start()
        self.scan()

    def scan(self) -> None:
        """Look for data sets and images now. Never raises."""
        self._thread.step(full=True)

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame this source offered, of a stack those of its sharpest plane.

        Raises
        ------
        FrameError
            When its pixels are gone, truncated, or not those that were offered.
        SourceError
            When the share or disk does not answer.
        """
        return load_sharpest(self._stacks.complete(ticket), self._sets.load)

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Accept retry requests; return how many, from the first on."""
        return self._retries.waiting.put(asked)

    def health(self) -> SourceHealth:
        """Return whether new images would be detected. Never raises."""
        offering = self._offering
        reachable = self._presence.is_there() or self._presence.is_awaited()
        followed = list(self._followed.values())
        channels = ", ".join(sorted(self._channels)) or "none yet"
        troubles = [each.data_set.trouble for each in followed if each.data_set.trouble]
        detail = f"{self._path}: {len(followed)} data sets, channels {channels}"
        for trouble in (self._thread.trouble, *troubles[:1]):
            detail += f"; {trouble}" if trouble else ""
        return SourceHealth(
            name=self.name,
            alive=self._thread.alive() and reachable,
            detail=detail if reachable else f"{self._path} is gone",
            found=offering.found if offering is not None else 0,
            waiting=sum(each.waiting for each in followed) + len(self._stacks),
            ended=bool(followed)
            and all(each.is_done and not each.backlog.waiting for each in followed)
            and not len(self._stacks),
        )

    def stop(self) -> None:
        """Stop following; idempotent."""
        self._thread.stop()

    def _step(self, full: bool) -> None:
        offering = self._offering
        if offering is None:
            return
        again = not self._rhythm.spares() and self._reopen(offering)
        if full or again or self._rhythm.due(self._clock.monotonic()):
            self._look(offering, full=full)
        if not self._rhythm.spares():
            self._retries.refuse_gone(offering, self._followed)
            if full:
                offering.record_presence(self._presence)

    def _reopen(self, offering: Offering) -> bool:
        """Reopen data sets in which a refused image is to be retried; return whether there are."""
        sought = self._retries.take(offering)
        for label in [one for one in self._followed if any(holds(one, each) for each in sought)]:
            del self._followed[label]
            # Images found in the reopened data set were not saved just now.
            self._looked = False
        return bool(sought)

    def _look(self, offering: Offering, *, full: bool) -> None:
        self._rhythm.begin_look(self._clock.monotonic())
        images = 0
        present = dict(self._sets.find(() if full else self._followed))
        for label in [label for label in self._followed if label not in present]:
            log.info("data set is gone", source=self.name, data_set=label)
            del self._followed[label]
        for label, folder in present.items():
            if self._thread.stopping:
                return
            try:
                images += self._find_new(offering, label, folder, full=full)
            except OSError as error:
                log.info("data set cannot be read now", source=self.name, reason=error.strerror)
        sets = [each.data_set for each in self._followed.values() if not each.data_set.ended]
        self._growing = tuple(sets[-_GLANCED_AT:])
        self._looked = True
        # Reported before anything is offered, so that the worker knows of a burst in time.
        self._rhythm.looked(images)
        self._add_due_stacks()
        for followed in self._followed.values():
            if not self._thread.stopping and not self._rhythm.spares():
                self._offer(offering, followed, full=full)

    def _add_due_stacks(self) -> None:
        """Add the stacks to what is offered that are complete although planes may be missing."""
        ended = {label for label, one in self._followed.items() if one.is_done and one.is_read}
        for label, stack in self._stacks.due(self._clock.monotonic(), ended):
            if label in self._followed:
                self._followed[label].backlog.waiting.append(stack)

    def _offer(self, offering: Offering, one: FollowedDataSet[Sighting], *, full: bool) -> None:
        def is_whole(found: Found) -> bool:
            return one.is_whole(found, self._clock.monotonic())

        one.backlog.offer(offering, full=full, is_whole=is_whole)
        if not one.backlog.waiting:
            one.unproven.clear()  # the remaining ones were settled long ago

    def _glance(self) -> Hashable:
        """Return times and sizes of the files that grow during an acquisition."""
        try:
            began_ns = self._path.stat().st_mtime_ns
            return began_ns, *(each.glance() for each in self._growing)
        except OSError:
            return None

    def _find_new(self, offering: Offering, label: str, folder: Path, *, full: bool) -> int:
        """Look for images in a data set; return how many were saved since the last look."""
        state, now_s = folder.stat(), self._clock.monotonic()
        identity = (state.st_dev, state.st_ino)
        followed = self._followed.get(label)
        same = followed is not None and followed.identity == identity
        if followed is not None and same and not full and followed.is_left_alone(now_s):
            return 0  # scans check whether another acquisition replaced it
        if followed is None or not same or followed.data_set.is_replaced():
            followed = self._followed[label] = FollowedDataSet(
                identity=identity,
                data_set=self._sets.open(folder),
                caught_up=self._looked,
                grew_s=now_s if self._looked else -math.inf,
            )
            log.info("data set is followed", source=self.name, data_set=label or str(folder))
        if len(followed.backlog.waiting) >= _MAX_WAITING:
            followed.caught_up = False
            return 0
        at_most = _COUNTED if self._rhythm.counting else _PER_LOOK
        new = followed.data_set.look(now_s, full=full, at_most=at_most)
        came = len(new) if followed.caught_up else 0
        if came:
            followed.grew_s = now_s
        followed.caught_up = followed.caught_up or len(new) < at_most
        followed.sighted += new
        # Probably a burst: the ledger is asked after it.
        if not (self._rhythm.counting and len(new) >= at_most):
            named = followed.name_sighted(label, self._sets, offering, now_s)
            followed.backlog.waiting += self._stacks.collect(named, now_s, label)
            for found in named:
                if found.key is not None and len(self._channels) < _CHANNELS_NAMED:
                    self._channels.add(found.key.channel)
        return came
