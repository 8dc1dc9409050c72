"""Images that wait for a file beside them, or may learn more from it.

A program writes its side file later than the images that it names. Which images it does not tell
of so far is kept here, by side file; once that changed, they are looked at again. A look at each
side file costs one call to the system, however many images wait.
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
# Side files that are looked at in one turn.
_LOOKS = 64
_WORDS = {"well": "its well", "pixel_size_um": "its pixel size"}


class SideFilePendingError(FrameError):
    """A file beside an image does not tell of it so far.

    Parameters
    ----------
    missing
        All side files that do not.
    needed
        Without it the image is never read.
    """

    def __init__(self, line: str, missing: tuple[PendingSideFile, ...], *, needed: bool) -> None:
        super().__init__(line)
        self.missing = missing
        self.needed = needed


def refuse_unnamed(
    missing: tuple[PendingSideFile, ...],
    statements: Iterable[Statement],
    settings: ReadingSettings,
    locator: str,
    *,
    patient: bool = True,
) -> None:
    """Refuse an image for which a side file has to speak first.

    Parameters
    ----------
    patient
        Also where the image may be read without, if the file never comes.

    Raises
    ------
    AwaitedError
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
                "file beside the image does not tell of it",
                where=locator,
                expected=f"{_WORDS.get(fact, fact)} in {each.path.name}",
                do="nothing where its program still writes; else let the file come along",
            ),
            missing,
            needed=each.side.needed,
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
    """Images by the side files that do not tell of them.

    Parameters
    ----------
    capacity
        How many are remembered; the oldest is forgotten, and found again by a rescan where it
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
        """How many images wait for which file; empty where none does."""
        counts = Counter(self._waiting.values())
        return ", ".join(
            f"{count} {'image waits' if count == 1 else 'images wait'} for {name}"
            for name, count in counts.items()
        )

    def note(
        self, locator: str, missing: Iterable[PendingSideFile], *, waits: bool = False
    ) -> None:
        """Remember which side files say nothing of an image; none: all have.

        Parameters
        ----------
        waits
            The image is not read before.
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
                # What was read is older or newer than what others were told: look anew.
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
        """Return the images with a side file that changed since it was asked for them."""
        if now_s < self._look_at_s or not self._sides:
            return []
        self._look_at_s = now_s + LOOK_S
        found: dict[str, None] = {}
        for path in list(self._sides)[:_LOOKS]:
            side = self._sides.pop(path)
            self._sides[path] = side  # the last to be looked at the next time
            version = version_of(path)
            if version != side.version:
                side.version = version
                if version is not None:
                    found |= side.images
        return list(found)
