"""Makes one frame of each complete z-stack of a time-lapse: its sharpest plane.

Planes of a stack may lie in several data sets, since a daemon that was killed within a stack takes
the rest of it into the next one. A stack is offered once all planes are there that the plan has of
it, where `base.stacks` has to guess; until then its planes are neither frames nor refusals. Images
that are no stacks pass through.

The locator of a stack is that of its first plane with those of the others behind it, and so is its
fingerprint: a plane that was replaced is found out.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scopewatch.config.focus import MOST_PLANES
from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.sharpest import RULE
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.z_stack import ChosenPlane, PlaneMark
from scopewatch.event_log import get_logger
from scopewatch.sources.base.data_set import DataSet, DataSets
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.stacks.loading import load_sharpest
from scopewatch.sources.micromanager.images import Place, place_of, plane_of
from scopewatch.sources.micromanager.stacks.planes import Plane
from scopewatch.sources.ndtiff.frames import NDTiffFrames, write_locator
from scopewatch.sources.ndtiff.sighting import Sighting

log = get_logger(__name__)

_BETWEEN: Final = " + "
_HEIGHTS: Final = ("ZPosition_um_Intended", "ZPosition_um")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Sighting):
    """A complete z-stack: its first plane, and all planes with the data sets that hold them."""

    planes: tuple[tuple[str, Sighting], ...]


class StackSets:
    """The data sets of a time-lapse, a z-stack of them as one image; implements `DataSets`.

    Parameters
    ----------
    sets
        The data sets, each plane of them as an image.
    frames
        Reads the planes.
    planned
        Returns the planes that the plan has of an image.
    saw
        Receives the height of the sharpest plane of a frame, where its metadata give it.
    """

    def __init__(
        self,
        root: Path,
        sets: DataSets[Sighting],
        frames: NDTiffFrames,
        planned: Callable[[Place], Sequence[Plane]],
        saw: Callable[[FrameKey, float], None],
    ) -> None:
        self._root = root
        self._sets = sets
        self._frames = frames
        self._saw = saw
        self._gathered = _Gathered(planned)

    def find(self, known: Collection[str]) -> Iterator[tuple[str, Path]]:
        """Yield the data sets; see `DataSets`."""
        return self._sets.find(known)

    def open(self, folder: Path) -> "_StackSet":
        """Return a follower of the data set in a folder."""
        label = "" if folder == self._root else folder.relative_to(self._root).as_posix()
        return _StackSet(label, self._sets.open(folder), self._gathered)

    def found(self, label: str, sighting: Sighting, number: int) -> Found:
        """Return an image, or a stack, with its key, or with the reason why it has none."""
        if not isinstance(sighting, Stack):
            return self._sets.found(label, sighting, number)
        first_label, first = sighting.planes[0]
        found = self._sets.found(first_label, first, number)
        images = [(at, each.image) for at, each in sighting.planes if each.image is not None]
        reading = found.reading
        return replace(
            found,
            locator=_BETWEEN.join(
                f"{at}/{write_locator(image.block)}".lstrip("/") for at, image in images
            ),
            fingerprint=_BETWEEN.join(image.fingerprint for _, image in images),
            # It is a whole stack, of which no other planes are to be waited for.
            reading=None if reading is None else replace(reading, z=None),
        )

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of an image, or of the sharpest plane of a stack.

        Raises
        ------
        FrameError
            When pixels are gone, truncated, or not those that were offered.
        SourceError
            When the share or disk does not answer.
        """
        locators, prints = ticket.locator.split(_BETWEEN), ticket.fingerprint.split(_BETWEEN)
        if len(prints) != len(locators):
            raise FrameError(
                complaint(
                    "locator names no z-stack", where=ticket.locator, do="scan the data set again"
                )
            )
        if len(locators) == 1:
            return self._sets.load(ticket)
        planes = tuple(
            PlaneMark(locator=locator, fingerprint=fingerprint, z=plane)
            for plane, (locator, fingerprint) in enumerate(zip(locators, prints, strict=True))
        )
        frame = load_sharpest(replace(ticket, planes=planes), self._sets.load)
        return frame if frame.stack is None else self._with_height(frame, planes, frame.stack)

    def _with_height(self, frame: Frame, planes: Sequence[PlaneMark], chosen: ChosenPlane) -> Frame:
        """Return a frame whose note gives the height of its plane; record which it is."""
        mark = planes[chosen.z]
        tags = self._frames.tags(mark.locator, mark.fingerprint)
        height_um = next((tags[each] for each in _HEIGHTS if _is_number(tags.get(each))), None)
        log.info(
            "sharpest plane chosen",
            key=str(frame.key),
            plane=chosen.z,
            height_um=height_um,
            planes=len(planes),
            scores=[round(chosen.scores[each], 4) for each in sorted(chosen.scores)],
            rule=RULE,
        )
        if height_um is None:
            return frame
        self._saw(frame.key, float(height_um))
        return replace(frame, note=f"{frame.note}, at {height_um:g} um")


class _Gathered:
    """Planes of stacks that are not complete. One thread gathers, any counts."""

    def __init__(self, planned: Callable[[Place], Sequence[Plane]]) -> None:
        self._planned = planned
        self._lock = threading.Lock()
        self._planes: dict[Place, dict[int, tuple[str, Sighting]]] = {}

    def gather(self, label: str, sighting: Sighting) -> Sighting | None:
        """Return an image that is no plane as it is, a stack once it is complete; else None."""
        place, plane = place_of(sighting.axes), plane_of(sighting.axes)
        if place is None or plane is None or sighting.image is None or sighting.reason:
            return sighting
        with self._lock:
            planes = self._planes.setdefault(place, {})
            planes.setdefault(plane, (label, sighting))
            wanted = [each for each in self._planned(place) if each is not None]
            if not wanted or any(each not in planes for each in wanted):
                return None
            # They are gathered again where a data set is opened again.
            del self._planes[place]
        first = planes[wanted[0]][1]
        return Stack(
            name=first.name,
            axes=first.axes,
            summary=first.summary,
            image=first.image,
            planes=tuple(planes[each] for each in wanted),
        )


class _StackSet:
    """A data set of a time-lapse that is followed; implements `base.data_set.DataSet`."""

    def __init__(self, label: str, data_set: DataSet[Sighting], gathered: _Gathered) -> None:
        self._label = label
        self._data_set = data_set
        self._gathered = gathered

    @property
    def waiting(self) -> int:
        return self._data_set.waiting

    @property
    def undecided(self) -> int:
        return self._data_set.undecided

    @property
    def ended(self) -> bool:
        return self._data_set.ended

    @property
    def trouble(self) -> str:
        return self._data_set.trouble

    def glance(self) -> Hashable:
        return self._data_set.glance()

    def is_replaced(self) -> bool:
        return self._data_set.is_replaced()

    def look(self, now_s: float, *, full: bool, at_most: int) -> list[Sighting]:
        # Fewer than `at_most` mean that all was read: planes are fewer once they are gathered.
        found: list[Sighting] = []
        for _ in range(MOST_PLANES):
            sightings = self._data_set.look(now_s, full=full, at_most=at_most)
            gathered = (self._gathered.gather(self._label, each) for each in sightings)
            found += [each for each in gathered if each is not None]
            if len(sightings) < at_most or len(found) >= at_most:
                break
        return found

    def part(self, sighting: Sighting) -> str | None:
        return self._data_set.part(sighting)

    def identity(self, part: str, now_s: float) -> str | None:
        return self._data_set.identity(part, now_s)

    def is_unproven(self, sighting: Sighting) -> bool:
        return self._data_set.is_unproven(sighting)

    def prove(self, sighting: Sighting, now_s: float) -> bool:
        return self._data_set.prove(sighting, now_s)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
