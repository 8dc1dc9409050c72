"""Finds the files of a folder that need work, by walks and by events, and has them tracked."""

import time
from collections import Counter
from collections.abc import Callable

from scopewatch.config import FolderSourceConfig
from scopewatch.core.source import Arrivals
from scopewatch.event_log import get_logger
from scopewatch.sources.base.address import is_text
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import BATCH, Offering
from scopewatch.sources.folder.file_checks import FileChecks, offer
from scopewatch.sources.folder.file_reading import given_up_mark, refuse_name
from scopewatch.sources.folder.frames import FolderFrames
from scopewatch.sources.folder.walk import (
    Seen,
    as_locator,
    in_data_set,
    look_at,
    walk_images,
)
from scopewatch.sources.folder.walk_rests import WalkRests
from scopewatch.sources.layouts.candidates import (
    is_candidate,
    is_folder_of_candidates,
    is_within,
)

log = get_logger(__name__)


class FolderIntake:
    """Finds the files of one source that need work; used by its thread alone.

    Attributes
    ----------
    left_out
        Number of files that by their names are never frames, by kind.
    stores
        OME-Zarr stores in the folder, which are ignored.
    walk_needed
        Whether an event could not be used, so that only a walk finds its file.
    """

    def __init__(
        self,
        config: FolderSourceConfig,
        frames: FolderFrames,
        checks: FileChecks,
        arrivals: Arrivals,
    ) -> None:
        self._name = config.name
        self._config = config
        self._frames = frames
        self._checks = checks
        self._arrivals = arrivals
        self._walked_s: float | None = None
        self._rests = WalkRests()
        self.stores: set[str] = set()
        # By kind: a program may write one such file for each frame.
        self.left_out: Counter[str] = Counter()
        self.walk_needed = False

    def note_event(self, offering: Offering, path: str, now_s: float, *, renamed: bool) -> None:
        """Track a file that an event reported, or drop it if it is gone."""
        locator = as_locator(self._config.path, path)
        if locator is None or not is_candidate(locator):
            return
        if not is_text(locator):
            self.walk_needed = True
            return
        seen = look_at(self._config.path, locator)
        if seen is None or in_data_set(self._config.path, locator):
            self._checks.stability.forget(locator)
        elif offering.pending(seen.locator, seen.fingerprint) and not self._leave_out(
            offering, seen.locator, seen.fingerprint
        ):
            if self._is_new(offering, seen.locator, seen.fingerprint):
                self._arrivals.images_saved(self._name, 1, 0.0)
            self._checks.stability.see(
                seen.locator,
                seen.fingerprint,
                seen.mtime_ns,
                now_s,
                in_one_piece=renamed or self._checks.given_up.is_growing(seen.locator),
            )

    def walk(
        self, offering: Offering, now_s: float, *, polling: bool, stopping: Callable[[], bool]
    ) -> None:
        """Track all files of the folder that need work.

        Parameters
        ----------
        polling
            Whether walks alone find new files, since no events report them first.
        stopping
            Returns whether to end early.
        """
        began_s = time.thread_time()
        # Files that there was no room for are found now, and arrived long ago.
        caught_up = self._checks.stability.turned_away == 0
        self._checks.stability.turned_away = 0
        stores: set[str] = set()
        new = self._track_below("", offering, now_s, stores, stopping)
        if stopping():
            return
        self._note_stores(stores)
        # A walk without new files shows a pause only where no events report files first.
        if self._walked_s is not None and caught_up and (new or polling):
            self._arrivals.images_saved(self._name, new, now_s - self._walked_s)
        self._walked_s = now_s
        self._rests.note(time.thread_time() - began_s, now_s, polling=polling)

    def walk_new_folder(
        self, offering: Offering, path: str, now_s: float, *, stopping: Callable[[], bool]
    ) -> None:
        """Track the files of a folder that an event reported: they may have come with it."""
        locator = as_locator(self._config.path, path)
        if locator is None or not self._config.recursive:
            return
        if not is_text(locator):
            self.walk_needed = True
        elif is_folder_of_candidates(locator) and not is_within(locator, self.stores):
            stores: set[str] = set()
            new = self._track_below(locator, offering, now_s, stores, stopping)
            if new:
                self._arrivals.images_saved(self._name, new, 0.0)
            self._note_stores(self.stores | stores)

    def may_walk(self, now_s: float) -> bool:
        """Return whether the folder may be walked again, by what the last walk took."""
        # A walk alone finds files that there was no room for.
        return self._rests.over(now_s) or self._checks.stability.turned_away > 0

    def end_rest(self) -> None:
        """Have the folder walked when it is next asked for."""
        self._rests.end()

    def _track_below(
        self,
        folder: str,
        offering: Offering,
        now_s: float,
        stores: set[str],
        stopping: Callable[[], bool],
    ) -> int:
        """Track the files below a folder that need work, and no longer those that are not there.

        Parameters
        ----------
        stores
            Receives the Zarr stores below it.

        Returns
        -------
        How many were not known.
        """
        new = 0
        gone = {each for each in self._checks.stability.locators() if is_within(each, (folder,))}
        unwritable: list[Found] = []
        batch: dict[Found, int] = {}
        for seen in walk_images(
            self._config.path, recursive=self._config.recursive, stores=stores, below=folder
        ):
            if stopping():
                return new
            gone.discard(seen.locator)
            if self._is_remembered(offering, seen):
                continue
            found = Found(locator=seen.locator, fingerprint=seen.fingerprint)
            if not is_text(seen.locator):
                unwritable.append(refuse_name(found))
            elif not self._leave_out(
                offering, seen.locator, seen.fingerprint
            ) and self._checks.stability.has_room(seen.locator):
                batch[found] = seen.mtime_ns
            if len(batch) >= BATCH:
                new += self._consider(offering, batch, now_s)
                batch = {}
        new += self._consider(offering, batch, now_s)
        offer(offering, unwritable)
        for locator in gone:
            self._checks.stability.forget(locator)
        return new

    def _note_stores(self, stores: set[str]) -> None:
        """Log once for each OME-Zarr store that it is ignored."""
        for store in sorted(stores - self.stores):
            log.warning(
                "OME-Zarr store is ignored: it needs a source of kind ome-zarr",
                source=self._name,
                path=str(self._config.path / store),
            )
        self.stores = stores

    def _consider(self, offering: Offering, batch: dict[Found, int], now_s: float) -> int:
        """Track files that need work; return how many were not there before."""
        new = 0
        # A plane that was judged alone under other settings is one of a stack now.
        open_ones = offering.unsettled(list(batch), renamed=self._config.z == "sharpest")
        if self._walked_s is None:
            open_ones = self._not_given_up(offering, open_ones)
        for each in open_ones:
            new += self._is_new(offering, each.locator, each.fingerprint)
            is_growing = self._checks.given_up.is_growing(each.locator)
            self._checks.stability.see(
                each.locator, each.fingerprint, batch[each], now_s, in_one_piece=is_growing
            )
        return new

    def _is_remembered(self, offering: Offering, seen: Seen) -> bool:
        """Return whether a file needs nothing as far as is remembered, as nearly every file."""
        return not offering.pending(seen.locator, seen.fingerprint) or self._checks.given_up.holds(
            seen.locator, seen.fingerprint
        )

    def _leave_out(self, offering: Offering, locator: str, fingerprint: str) -> bool:
        """Count a file that by its name is never a frame; it gets no row in quarantine."""
        kind = self._frames.listing.left_out(locator)
        if kind is None:
            return False
        if kind not in self.left_out:
            log.info(
                "files of a kind are ignored: they are never frames",
                source=self._name,
                kind=kind,
                first=locator,
            )
        self.left_out[kind] += 1
        offering.settle(locator, fingerprint)
        return True

    def _is_new(self, offering: Offering, locator: str, fingerprint: str) -> bool:
        return not self._checks.stability.holds(locator) and not offering.knows(
            locator, fingerprint
        )

    def _not_given_up(self, offering: Offering, found: list[Found]) -> list[Found]:
        """Leave out files that were given up before this start: they need a check, and no wait."""
        as_given_up = [
            Found(locator=each.locator, fingerprint=given_up_mark(each.fingerprint))
            for each in found
        ]
        others = {each.locator for each in offering.unsettled(as_given_up)}
        for each in found:
            if each.locator not in others:
                self._checks.given_up.note(each.locator, each.fingerprint)
        return [each for each in found if each.locator in others]
