"""Protocols that each kind of data set implements, so that `data_sets` can follow it."""

from collections.abc import Collection, Hashable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from scopewatch.core.imaging.frame import Frame
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.base.found import Found

Sighting = TypeVar("Sighting")


class DataSet(Protocol[Sighting]):
    """A data set that is followed; one thread calls its methods, any reads its properties."""

    @property
    def waiting(self) -> int:
        """Number of known images that are not complete."""
        ...

    @property
    def undecided(self) -> int:
        """Number of incomplete images that are still waited for: not reported as given up yet."""
        ...

    @property
    def ended(self) -> bool:
        """Whether its writer has closed it and all images were found."""
        ...

    @property
    def trouble(self) -> str:
        """One line: which part is not read, and why; '' where all is well."""
        ...

    def glance(self) -> Hashable:
        """Return something that changes while the data set grows; quick. Raises OSError."""
        ...

    def is_replaced(self) -> bool:
        """Return whether another acquisition now lies in its folder. Raises OSError."""
        ...

    def look(self, now_s: float, *, full: bool, at_most: int) -> list[Sighting]:
        """Return at most `at_most` images completed since the last look. Raises OSError."""
        ...

    def part(self, sighting: Sighting) -> str | None:
        """Return the separately acquired part that an image belongs to; '' for the whole data set.

        None for an image that is refused in any acquisition.
        """
        ...

    def identity(self, part: str, now_s: float, /) -> str | None:
        """Return the identity of the acquisition in a part; None before it is known."""
        ...

    def is_unproven(self, sighting: Sighting, /) -> bool:
        """Return whether only decoding shows that an image is complete."""
        ...

    def prove(self, sighting: Sighting, now_s: float, /) -> bool:
        """Decode an image; an incomplete one is found again when it changes."""
        ...


class DataSets(Protocol[Sighting]):
    """Finds and opens the data sets of one kind of source."""

    def find(self, known: Collection[str]) -> Iterator[tuple[str, Path]]:
        """Yield (path below the source's folder, folder); `known` ones need no new check."""
        ...

    def open(self, folder: Path) -> DataSet[Sighting]:
        """Return a follower of the data set in a folder."""
        ...

    def found(self, label: str, sighting: Sighting, number: int) -> Found:
        """Return an image with its key, or with the reason why it has none.

        `number` is that of the acquisition among those in the same place.
        """
        ...

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of an image. Raises FrameError, SourceError."""
        ...
