"""Scores what a version of an archive lacks; killed at any moment, it goes on when called again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from scopewatch.app.oneshot.build import OneShot, OneShotSettings, open_oneshot
from scopewatch.app.oneshot.items import Listed
from scopewatch.app.oneshot.lines import UNCHANGED, Line
from scopewatch.app.rescoring.version import open_version, read_otherwise, version_of
from scopewatch.inference.bundle import load_bundle
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.sources.remote.urls import is_url
from scopewatch.store.archive.results import Archived, ArchiveResults

STAINS: Final = "stains"
# Lines that a kill may lose, to be scored again: a commit is two syncs of the disk.
_PIECE: Final = 50
_COMMIT_S: Final = 5.0
# Of the line, but no part of the result.
_ABOUT_FILE: Final = ("timings_ms", "content", "fingerprint")


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a frame.

    Parameters
    ----------
    scored
        Whether it was scored now.
    judged
        Whether it has an efficiency.
    """

    scored: bool
    judged: bool


class _Kept(dict[str, Any]):
    """A line that the version has already."""


class Rescoring:
    """A version of an archive that is being completed; a context manager, since it holds a lock.

    Parameters
    ----------
    wanted
        As for `scopewatch score`; `out`, `identify` and `kept` do not count.
    stains
        Whether pictures are written beside the results.

    Attributes
    ----------
    folder
        Of the version.
    read_otherwise
        Versions that differ in the reading of names and metadata alone.

    Raises
    ------
    ConfigError
        When another process completes the same version.
    """

    def __init__(
        self,
        wanted: OneShotSettings,
        archive: Path,
        *,
        stains: bool,
        monotonic: Callable[[], float],
    ) -> None:
        self._bundle = load_bundle(wanted.bundle)
        version = version_of(self._bundle, wanted.source, wanted.run)
        self.read_otherwise = read_otherwise(archive, version)
        self.folder = open_version(archive, version)
        with ExitStack() as held:
            held.enter_context(InstanceLock(self.folder))
            self.results = held.enter_context(closing(ArchiveResults(self.folder)))
            self._held = held.pop_all()
        self._settings = replace(
            wanted,
            out=self.folder / STAINS if stains else None,
            identify=True,
            kept=self._kept,
        )
        self._monotonic = monotonic

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def open(self) -> AbstractContextManager[OneShot]:
        """Make ready to score. Raises as `open_oneshot`."""
        return open_oneshot(self._settings, self._bundle)

    def run(self, oneshot: OneShot) -> Iterator[Progress]:
        """Score what is missing; yield once per frame, whether it was scored or not.

        Raises
        ------
        ModelError, ClusterError, StoreError
            As for `scopewatch score`; what was committed before stays.
        """
        fresh: list[Archived] = []
        committed = self._monotonic()
        try:
            for line in oneshot.run():
                archived = self._archive(line)
                if archived is not None:
                    fresh.append(archived)
                now = self._monotonic()
                if len(fresh) >= _PIECE or now - committed >= _COMMIT_S:
                    self.results.keep(fresh)
                    fresh, committed = [], now
                judged = (archived.line if archived else line)["verdict"] == "judged"
                yield Progress(scored=_was_scored(line), judged=judged)
        finally:
            self.results.keep(fresh)

    def _kept(self, item: Listed) -> Listed | Line:
        """Return the line that a frame has; the frame, with the pixels that have one, where not."""
        there = self.results.at(item.place)
        key = str(item.key)
        if there is not None and there.content and there.key == key:
            if self._lacks_picture(there.line):
                return item
            same_file = there.fingerprint == item.fingerprint
            return _Kept(there.line) if same_file else replace(item, content=there.content)
        # Rewritten with the same pixels, or moved.
        elsewhere = self.results.of(key)
        if elsewhere is None or self._lacks_picture(elsewhere.line):
            return item
        return replace(item, content=elsewhere.content)

    def _lacks_picture(self, line: Mapping[str, Any]) -> bool:
        """Return whether a result was kept by a call that drew nothing, unlike this one."""
        out = self._settings.out
        if out is None or line["verdict"] != "judged":
            return False
        return not line["overlay"] or not (out / line["overlay"]).is_file()

    def _archive(self, line: Line) -> Archived | None:
        """Return what is to be kept of a line; None where it is kept already."""
        if isinstance(line, _Kept):
            return None
        moved_from = ""
        if line["verdict"] == UNCHANGED:
            # A key may have had other pixels, in a file that lay elsewhere.
            before = self.results.of(line["key"], line["content"])
            result = dict(before.line) if before is not None else {}
            result["path"] = line["path"]
            if before is not None and _is_gone(before.path):
                moved_from = before.path
        else:
            result = {name: each for name, each in line.items() if name not in _ABOUT_FILE}
        return Archived(
            path=line["path"],
            key=line["key"],
            fingerprint=line.get("fingerprint", ""),
            content=line.get("content", ""),
            line=result,
            moved_from=moved_from,
        )


def _was_scored(line: Line) -> bool:
    return "score" in line.get("timings_ms", {})


def _is_gone(place: str) -> bool:
    """Return whether the file of a place is no longer there; of one behind a URL nobody asks."""
    return not is_url(place) and not Path(place.partition("#")[0]).exists()
