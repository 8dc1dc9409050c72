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

from collections.abc import Sequence

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.clock import Clock
from scopewatch.core.errors import SourceError, StoreError, complaint
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.source import Arrivals, Inbox, Ledger, SourceHealth
from scopewatch.core.tickets import FrameTicket, RetryRequest
from scopewatch.event_log import get_logger
from scopewatch.sources.base.arrivals import NullArrivals
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.source_thread import SourceThread
from scopewatch.sources.base.stacks.collecting import Stacks
from scopewatch.sources.base.stacks.loading import load_sharpest
from scopewatch.sources.folder.file_checks import FileChecks
from scopewatch.sources.folder.file_retries import FileRetries
from scopewatch.sources.folder.file_stability import FileStability
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.intake import FolderIntake
from scopewatch.sources.folder.reread_names import RereadNames
from scopewatch.sources.folder.walk import network_file_system, walk_images
from scopewatch.sources.folder.watch import FolderWatch
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits

log = get_logger(__name__)

_TICK_S = 0.25
# On top of that while no file waits and events report new ones.
_REST_S = 0.75
# After a full inbox, or a database that does not answer.
_PAUSE_S = 1.0


class FolderSource:
    """Watches a folder for image files; implements `core.source.FrameSource`.

    Parameters
    ----------
    config
        Where and how to watch.
    run
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
        run: RunConfig,
        clock: Clock,
        limits: ReadLimits = DEFAULT_LIMITS,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._frames = FolderFrames(config, run, limits)
        self._watch = FolderWatch(
            config.name,
            config.path,
            recursive=config.recursive,
            poll=config.observer == "polling",
            touched=self._wake,
        )
        stability = FileStability(config.settle_s, config.give_up_s)
        stacks = Stacks(settle_s=config.settle_s, give_up_s=config.give_up_s)
        self._checks = FileChecks(config.name, self._frames, stability, clock, stacks)
        self._names = RereadNames(
            config.name,
            self._frames,
            lambda: walk_images(config.path, recursive=config.recursive),
        )
        self._asked = FileRetries(self._frames, self._checks, clock, run.name)
        self._arrivals = arrivals or NullArrivals()
        self._intake = FolderIntake(config, self._frames, self._checks, self._arrivals)
        self._thread = SourceThread(config.name, self._step, lambda: _TICK_S, rest_s=self._rest_s)
        self._offering: Offering | None = None
        self._walk_at_s = 0.0
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
            When the folder does not exist, cannot be read, or is the mount point of a share that
            is not mounted.
        """
        path = self._config.path
        self._offering = Offering(self.name, inbox, ledger, self._clock)
        self._offering.recall_presence(self._watch.presence)
        self._intake.end_rest()
        # Watch first and walk then: a file that comes in between is seen twice, not missed.
        try:
            self._watch.start()
        except OSError as error:
            raise SourceError(
                complaint(
                    "folder cannot be watched",
                    where=path,
                    got=error.strerror,
                    do="mount its share or disk, or put it back; scopewatch keeps looking for it"
                    if self._watch.presence.is_gone()
                    else f"create it, or correct `path` of the source {self.name!r}",
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
        """Read the pixels of a frame this source offered, of a stack those of its sharpest plane.

        Raises
        ------
        FrameError
            When they cannot be read, or belong to no frame.
        """
        return load_sharpest(self._checks.stacks.complete(ticket), self._frames.load)

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        """Accept retry requests; return how many, from the first on."""
        taken = self._asked.waiting.put(asked)
        self._thread.wake()
        return taken

    def health(self) -> SourceHealth:
        """Return whether new files would be detected. Never raises."""
        offering, thread, watch = self._offering, self._thread, self._watch
        alive = thread.alive() and watch.alive()
        how = "polling" if watch.polling else "native events"
        detail = watch.trouble or f"{self._config.path} by {how}"
        if self._checks.detail:
            detail += f"; {self._checks.detail}"
        for kind, count in self._intake.left_out.most_common():
            detail += f"; {count} files left out: {kind}"
        if self._intake.stores:
            store = min(self._intake.stores)
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
            waiting=len(self._checks.stability)
            + self._checks.stability.turned_away
            + len(self._checks.stacks),
        )

    def stop(self) -> None:
        """Stop watching; idempotent."""
        self._thread.stop()
        self._watch.stop()

    def _wake(self) -> None:
        self._thread.wake()

    def _rest_s(self) -> float:
        waits = (
            self._watch.polling
            or self._intake.walk_needed
            or self._names.busy
            or len(self._checks.stability)
            or len(self._checks.stacks)
            or len(self._asked.waiting)
        )
        return 0.0 if waits else _REST_S

    def _step(self, full: bool) -> None:
        offering, now_s = self._offering, self._clock.monotonic()
        walk = self._watch.check(now_s)
        if offering is None or not self._watch.present:
            return
        for path, renamed in self._watch.touches.drain():
            self._intake.note_event(offering, path, now_s, renamed=renamed)
        if self._watch.touches.lost or self._intake.walk_needed:
            self._watch.touches.lost = self._intake.walk_needed = False
            walk = True
        try:
            for folder in self._watch.touches.drain_folders():
                self._intake.walk_new_folder(
                    offering, folder, now_s, stopping=lambda: self._thread.stopping
                )
            if walk or self._is_walk_due(now_s, full):
                self._walk_at_s = now_s + self._config.poll_s
                self._intake.walk(
                    offering,
                    now_s,
                    polling=self._watch.polling,
                    stopping=lambda: self._thread.stopping,
                )
            if full:
                offering.record_presence(self._watch.presence)
                self._checks.look_at_given_up()
            if not self._arrivals.bursting(self.name):
                self._asked.step(offering, lambda: self._thread.stopping)
            self._release(offering, now_s)
        except StoreError:
            # The files stay tracked, and the ledger is asked again after a pause.
            self._release_at_s = now_s + _PAUSE_S
            self._intake.end_rest()
            raise

    def _is_walk_due(self, now_s: float, full: bool) -> bool:
        asked = full or (self._watch.polling and now_s >= self._walk_at_s)
        return asked and self._intake.may_walk(now_s)

    def _release(self, offering: Offering, now_s: float) -> None:
        if now_s < self._release_at_s or self._arrivals.bursting(self.name):
            return
        released = self._checks.release(offering, now_s, lambda: self._thread.stopping)
        if not released or not self._names.step(offering):
            self._release_at_s = now_s + _PAUSE_S
