"""What a kind of source says of its data sets, so that they can be followed (`data_sets`)."""

from collections.abc import Collection, Hashable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from scopewatch.core.imaging.frame import Frame, FrameTicket
from scopewatch.sources.base.offering import Found

Sighting = TypeVar("Sighting")


class DataSet(Protocol[Sighting]):
    """A data set that is followed; used by one thread, its properties by any."""

    @property
    def waiting(self) -> int:
        """Images that are known of but not whole."""
        ...

    @property
    def ended(self) -> bool:
        """Whether its writer has closed it and all of it was found."""
        ...

    @property
    def trouble(self) -> str:
        """What of it is not read and why, in one line; '' where all is well."""
        ...

    def glance(self) -> Hashable:
        """Return what changes while it grows; quick. Raises OSError."""
        ...

    def is_replaced(self) -> bool:
        """Whether another acquisition now lies in its folder. Raises OSError."""
        ...

    def look(self, now_s: float, *, full: bool, at_most: int) -> list[Sighting]:
        """Return images that got whole since the last look, so many at most. Raises OSError."""
        ...

    def part(self, sighting: Sighting) -> str | None:
        """Return which part of the data set, acquired by itself, an image is of: '' for all of it.

        None for what is refused whatever acquisition it is of.
        """
        ...

    def identity(self, part: str, now_s: float, /) -> str | None:
        """Return which acquisition a part holds; None before that is known."""
        ...

    def is_unproven(self, sighting: Sighting, /) -> bool:
        """Whether only unpacking shows that an image is whole."""
        ...

    def prove(self, sighting: Sighting, now_s: float, /) -> bool:
        """Unpack an image; one that is not whole is found again when it changed."""
        ...


class DataSets(Protocol[Sighting]):
    """The data sets of one kind of source."""

    def find(self, known: Collection[str]) -> Iterator[tuple[str, Path]]:
        """Yield (path below the source's, folder) of each; those that are known may be taken so."""
        ...

    def open(self, folder: Path) -> DataSet[Sighting]:
        """Begin to follow the data set in a folder."""
        ...

    def found(self, label: str, sighting: Sighting, number: int) -> Found:
        """Give an image its key, or the reason why it has none.

        `number` is that of the acquisition among those at the same place.
        """
        ...

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of an image. Raises FrameError, SourceError."""
        ...
