"""Source of frames from image files that appear in a folder.

Files are found by a walk at the start, by file system events, and by the walks that the runtime
requests (`scan`), which also find what events missed. A file is released when it was quiet for
`settle_s` and decodes completely; one that never does is given up after `give_up_s`, and the
worker quarantines it with the reason. It is checked again when it changes and at each scan, so
that it is scored if it is completed after all. What the inbox does not take is offered again.
During a burst that scoring waits for, no file is released: to check one means to decode it.

All channels are offered under their own names; the worker decides which one is scored.

    start -> walk -> [ watching: touched names -> stability -> read -> offer ] -> stop
                        | observer died: started again, and a walk
                        | folder gone: not alive until it is back, and a walk
"""

from collections import Counter
from collections.abc import Sequence

from scopewatch.config import ExperimentConfig, FolderSourceConfig
from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, StoreError, complaint
from scopewatch.core.imaging.frame import Frame, FrameTicket, RetryRequest
from scopewatch.core.source import Arrivals, Inbox, Ledger, SourceHealth
from scopewatch.event_log import get_logger
from scopewatch.sources.base.address import is_text
from scopewatch.sources.base.arrivals import NullArrivals
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import BATCH, Offering
from scopewatch.sources.base.source_thread import SourceThread
from scopewatch.sources.folder.file_checks import FileChecks, offer
from scopewatch.sources.folder.file_reading import given_up_mark, refuse_name
from scopewatch.sources.folder.file_retries import FileRetries
from scopewatch.sources.folder.file_stability import FileStability
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.reread_names import RereadNames
from scopewatch.sources.folder.walk import (
    as_locator,
    in_data_set,
    look_at,
    network_file_system,
    walk_images,
)
from scopewatch.sources.folder.watch import FolderWatch
from scopewatch.sources.layouts.candidates import is_candidate
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

log = get_logger(__name__)

_TICK_S = 0.25
# After a full inbox, or a database that does not answer.
_PAUSE_S = 1.0


class FolderSource:
    """Watches a folder for image files; implements `core.source.FrameSource`.

    Parameters
    ----------
    config
        Where and how to watch.
    experiment
        Defaults for facts that names and metadata do not give.
    limits
        How large a file may be to be read.
    arrivals
        Receives counts of files as they arrive; None: nobody counts.

    Raises
    ------
    ConfigError
        When the file name pattern or the position pattern is invalid.
    """

    def __init__(
        self,
        config: FolderSourceConfig,
        experiment: ExperimentConfig,
        clock: Clock,
        limits: ReadLimits = DEFAULT_LIMITS,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._frames = FolderFrames(config, experiment, limits)
        self._watch = FolderWatch(
            config.name,
            config.path,
            recursive=config.recursive,
            poll=config.observer == "polling",
        )
        stability = FileStability(config.settle_s, config.give_up_s)
        self._looks = FileChecks(config.name, self._frames, stability, clock)
        self._names = RereadNames(
            config.name,
            self._frames,
            lambda: walk_images(config.path, recursive=config.recursive),
        )
        self._asked = FileRetries(self._frames, self._looks, clock, experiment.name)
        self._arrivals = arrivals or NullArrivals()
        self._thread = SourceThread(config.name, self._step, lambda: _TICK_S)
        self._offering: Offering | None = None
        self._stores: set[str] = set()
        # By kind: a program may write one such file for each frame.
        self._left_out: Counter[str] = Counter()
        self._walk_at_s = 0.0
        self._walked_s: float | None = None
        self._release_at_s = 0.0

    @property
    def name(self) -> str:
        """Name from the configuration."""
        return self._config.name

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Watch the folder, and offer its present files.

        Raises
        ------
        SourceError
            When the folder does not exist or cannot be read.
        """
        path = self._config.path
        self._offering = Offering(self.name, inbox, ledger, self._clock)
        # Watch first and walk then: a file that comes in between is seen twice, not missed.
        try:
            self._watch.start()
        except OSError as error:
            raise SourceError(
                complaint(
                    "folder cannot be watched",
                    where=path,
                    got=error.strerror,
                    do=f"create it, or correct `path` of the source {self.name!r}",
                )
            ) from error
        kind = network_file_system(path)
        if kind is not None and self._config.observer == "native":
            log.warning(
                "folder is on a network file system, where events do not arrive:"
                " set `observer: polling`",
                source=self.name,
                path=str(path),
                file_system=kind,
            )
        self._thread.start()
        self.scan()

    def scan(self) -> None:
        """Walk the folder and release ready files. Never raises."""
        self._thread.step(full=True)

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a frame this source offered.

        Raises
        ------
        FrameError
            When they cannot be read, or belong to no frame.
        """
        return self._frames.load(ticket)

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Accept retry requests; return how many, from the first on."""
        return self._asked.waiting.put(asked)

    def health(self) -> SourceHealth:
        """Return whether new files would be detected. Never raises."""
        offering, thread, watch = self._offering, self._thread, self._watch
        alive = thread.alive() and watch.alive()
        how = "polling" if watch.polling else "native events"
        detail = watch.trouble or f"{self._config.path} by {how}"
        if self._looks.detail:
            detail += f"; {self._looks.detail}"
        for kind, count in self._left_out.most_common():
            detail += f"; {count} files left out: {kind}"
        if self._stores:
            store = min(self._stores)
            where = self._config.path / store if store else self._config.path
            detail += f"; {where} is an OME-Zarr store: it needs a source of kind ome-zarr"
        if thread.trouble:
            detail += f"; {thread.trouble}"
        elif not alive and not watch.trouble:
            detail += ", stopped" if not thread.alive() else ", but the observer is dead"
        return SourceHealth(
            name=self.name,
            alive=alive,
            detail=detail,
            found=offering.found if offering is not None else 0,
            waiting=len(self._looks.stability) + self._looks.stability.turned_away,
        )

    def stop(self) -> None:
        """Stop watching; idempotent."""
        self._thread.stop()
        self._watch.stop()

    def _step(self, full: bool) -> None:
        offering, now_s = self._offering, self._clock.monotonic()
        walk = self._watch.check(now_s) or full
        if offering is None or not self._watch.present:
            return
        for path, renamed in self._watch.touches.drain():
            self._touch(offering, path, now_s, renamed=renamed)
        if self._watch.touches.lost:
            self._watch.touches.lost = False
            walk = True
        try:
            if walk or (self._watch.polling and now_s >= self._walk_at_s):
                self._walk(offering, now_s)
            if full:
                self._looks.look_at_given_up()
            if not self._arrivals.bursting(self.name):
                self._asked.step(offering, lambda: self._thread.stopping)
            self._release(offering, now_s)
        except StoreError:
            # The files stay tracked, and the ledger is asked again after a pause.
            self._release_at_s = now_s + _PAUSE_S
            raise

    def _touch(self, offering: Offering, path: str, now_s: float, *, renamed: bool) -> None:
        locator = as_locator(self._config.path, path)
        if locator is None or not is_candidate(locator):
            return
        if not is_text(locator):
            self._watch.touches.lost = True
            return
        seen = look_at(self._config.path, locator)
        if seen is None or in_data_set(self._config.path, locator):
            self._looks.stability.forget(locator)
        elif offering.pending(seen.locator, seen.fingerprint) and not self._leave_out(
            offering, seen.locator, seen.fingerprint
        ):
            if self._is_new(offering, seen.locator, seen.fingerprint):
                self._arrivals.images_saved(self.name, 1, 0.0)
            self._looks.stability.see(
                seen.locator,
                seen.fingerprint,
                seen.mtime_ns,
                now_s,
                in_one_piece=renamed or self._looks.given_up.is_growing(seen.locator),
            )

    def _needs_a_look(self, offering: Offering, found: Found) -> bool:
        locator, fingerprint = found.locator, found.fingerprint
        return (
            not self._looks.given_up.holds(locator, fingerprint)
            and offering.pending(locator, fingerprint)
            and not self._leave_out(offering, locator, fingerprint)
        )

    def _leave_out(self, offering: Offering, locator: str, fingerprint: str) -> bool:
        """Count a file that by its name is never a frame; it gets no row in quarantine."""
        kind = self._frames.left_out(locator)
        if kind is None:
            return False
        if kind not in self._left_out:
            log.info(
                "files of a kind are ignored: they are never frames",
                source=self.name,
                kind=kind,
                first=locator,
            )
        self._left_out[kind] += 1
        offering.settle(locator, fingerprint)
        return True

    def _is_new(self, offering: Offering, locator: str, fingerprint: str) -> bool:
        return not self._looks.stability.holds(locator) and not offering.knows(locator, fingerprint)

    def _walk(self, offering: Offering, now_s: float) -> None:
        self._walk_at_s = now_s + self._config.poll_s
        # Files that there was no room for are found now, and arrived long ago.
        caught_up = self._looks.stability.turned_away == 0
        self._looks.stability.turned_away = new = 0
        held = set(self._looks.stability.locators())
        unwritable: list[Found] = []
        batch: dict[Found, int] = {}
        stores: set[str] = set()
        for seen in walk_images(self._config.path, recursive=self._config.recursive, stores=stores):
            if self._thread.stopping:
                return
            held.discard(seen.locator)
            found = Found(locator=seen.locator, fingerprint=seen.fingerprint)
            if not is_text(seen.locator):
                unwritable.append(refuse_name(found))
            elif self._needs_a_look(offering, found) and self._looks.stability.has_room(
                seen.locator
            ):
                batch[found] = seen.mtime_ns
            if len(batch) >= BATCH:
                new += self._consider(offering, batch, now_s)
                batch = {}
        new += self._consider(offering, batch, now_s)
        self._name_stores(stores)
        # A walk without new files shows a pause only where no events report files first.
        if self._walked_s is not None and caught_up and (new or self._watch.polling):
            self._arrivals.images_saved(self.name, new, now_s - self._walked_s)
        self._walked_s = now_s
        offer(offering, unwritable)
        for locator in held:
            self._looks.stability.forget(locator)

    def _name_stores(self, stores: set[str]) -> None:
        """Log once for each OME-Zarr store that it is ignored."""
        for store in sorted(stores - self._stores):
            log.warning(
                "OME-Zarr store is ignored: it needs a source of kind ome-zarr",
                source=self.name,
                path=str(self._config.path / store),
            )
        self._stores = stores

    def _consider(self, offering: Offering, batch: dict[Found, int], now_s: float) -> int:
        """Track files that need work; return how many were not there before."""
        new = 0
        open_ones = offering.unsettled(list(batch))
        if self._walked_s is None:
            open_ones = self._not_given_up(offering, open_ones)
        for each in open_ones:
            new += self._is_new(offering, each.locator, each.fingerprint)
            is_growing = self._looks.given_up.is_growing(each.locator)
            self._looks.stability.see(
                each.locator, each.fingerprint, batch[each], now_s, in_one_piece=is_growing
            )
        return new

    def _not_given_up(self, offering: Offering, found: list[Found]) -> list[Found]:
        """Leave out files that were given up before this start: they need a check, and no wait."""
        as_given_up = [
            Found(locator=each.locator, fingerprint=given_up_mark(each.fingerprint))
            for each in found
        ]
        others = {each.locator for each in offering.unsettled(as_given_up)}
        for each in found:
            if each.locator not in others:
                self._looks.given_up.note(each.locator, each.fingerprint)
        return [each for each in found if each.locator in others]

    def _release(self, offering: Offering, now_s: float) -> None:
        if now_s < self._release_at_s or self._arrivals.bursting(self.name):
            return
        released = self._looks.release(offering, now_s, lambda: self._thread.stopping)
        if not released or not self._names.step(offering):
            self._release_at_s = now_s + _PAUSE_S
