"""Images whose side files do not list them yet, or may list more facts later.

A program writes its side file after the images that the file lists. This module keeps the images
that are not listed so far, by side file; once a side file changes, they are checked again. That
costs one system call for each side file, however many images wait.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import Statement
from scopewatch.sources.base.reading import ReadingSettings
from scopewatch.sources.layouts.beside import PendingSideFile
from scopewatch.sources.readers.side_files import Version, version_of

LOOK_S = 1.0
IMAGES = 20_000
# Side files that are checked in one turn.
_LOOKS = 64
_WORDS = {"well": "its well", "pixel_size_um": "its pixel size"}


class SideFilePendingError(FrameError):
    """A side file does not list an image so far.

    Parameters
    ----------
    missing
        All side files that do not list it.
    """

    def __init__(self, line: str, missing: tuple[PendingSideFile, ...]) -> None:
        super().__init__(line)
        self.missing = missing


def refuse_unnamed(
    missing: tuple[PendingSideFile, ...],
    statements: Iterable[Statement],
    settings: ReadingSettings,
    locator: str,
    *,
    patient: bool = True,
) -> None:
    """Refuse an image that needs a side file which does not list it yet.

    Parameters
    ----------
    patient
        Refuse also images that could be read without the side file.

    Raises
    ------
    SideFilePendingError
        Naming the side file.
    """
    statements = tuple(statements)
    for each in missing:
        fact = each.side.awaited
        wanted = fact is not None and (patient or each.side.needed)
        if fact is None or not wanted or _is_known(fact, statements, settings):
            continue
        raise SideFilePendingError(
            complaint(
                "side file does not list the image",
                where=locator,
                expected=f"{_WORDS.get(fact, fact)} in {each.path.name}",
                do="wait while its program writes; else copy the side file as well",
            ),
            missing,
        )


def _is_known(fact: str, statements: Iterable[Statement], settings: ReadingSettings) -> bool:
    if fact == "pixel_size_um" and settings.um_per_px is not None:
        return True
    return any(
        getattr(each.facts, fact) is not None
        or (fact == "well" and isinstance(each.facts.position, str))
        for each in statements
    )


@dataclass(slots=True)
class _Side:
    version: Version | None
    images: dict[str, None] = field(default_factory=dict)


class SideFileWaits:
    """Images by the side files that do not list them.

    Parameters
    ----------
    capacity
        How many images are remembered; the oldest is dropped, and found again by a rescan if it
        still waits.
    """

    def __init__(self, capacity: int = IMAGES) -> None:
        self._capacity = capacity
        self._sides: dict[Path, _Side] = {}
        self._images: dict[str, tuple[Path, ...]] = {}
        self._waiting: dict[str, str] = {}
        self._look_at_s = 0.0

    def __len__(self) -> int:
        return len(self._images)

    @property
    def detail(self) -> str:
        """How many images wait for which file; '' where none does."""
        counts = Counter(self._waiting.values())
        return ", ".join(
            f"{count} {'image waits' if count == 1 else 'images wait'} for {name}"
            for name, count in counts.items()
        )

    def note(
        self, locator: str, missing: Iterable[PendingSideFile], *, waits: bool = False
    ) -> None:
        """Remember which side files do not list an image; none: all do.

        Parameters
        ----------
        waits
            The image is not read before they do.
        """
        self.forget(locator)
        missing = tuple(missing)
        if not missing:
            return
        self._images[locator] = tuple(each.path for each in missing)
        for each in missing:
            side = self._sides.setdefault(each.path, _Side(each.version))
            side.images[locator] = None
            if each.version != side.version:
                # It was read from another version of the side file than other images: check it
                # again.
                side.version = None
        if waits:
            self._waiting[locator] = missing[0].path.name
        while len(self._images) > self._capacity:
            self.forget(next(iter(self._images)))

    def forget(self, locator: str) -> None:
        """Drop an image."""
        self._waiting.pop(locator, None)
        for path in self._images.pop(locator, ()):
            side = self._sides.get(path)
            if side is not None:
                side.images.pop(locator, None)
                if not side.images:
                    del self._sides[path]

    def changed(self, now_s: float) -> list[str]:
        """Return images with a side file that changed since it was last read for them."""
        if now_s < self._look_at_s or not self._sides:
            return []
        self._look_at_s = now_s + LOOK_S
        found: dict[str, None] = {}
        for path in list(self._sides)[:_LOOKS]:
            side = self._sides.pop(path)
            self._sides[path] = side  # the last to be checked the next time
            version = version_of(path)
            if version != side.version:
                side.version = version
                if version is not None:
                    found |= side.images
        return list(found)
