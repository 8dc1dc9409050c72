"""Finds the planes of one OME-Zarr array as their chunks arrive; reports each plane once.

A chunk of several planes is final when a later chunk exists, its image is closed, or its file did
not change for a while. A plane that is never completed is reported with the reason, and checked
again when its files change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scopewatch.sources.omezarr.array.chunks import GroupState
from scopewatch.sources.omezarr.array.layout import ArrayLayout, Coordinates
from scopewatch.sources.omezarr.array.sighted import SightedPlanes
from scopewatch.sources.omezarr.array.tree import ChunkTree
from scopewatch.sources.omezarr.array.units import MORE_TO_COME, PlaneSighting, Units
from scopewatch.sources.omezarr.image import PlaneIndex

# Files that did not change for this long are not being written at the moment.
_RESTS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for incomplete planes after the last change of their files.

    Parameters
    ----------
    quiet_s
        Wait before a chunk of several planes counts as final.
    give_up_s
        Wait before an incomplete plane is reported with the reason.
    """

    quiet_s: float = 5.0
    give_up_s: float = 60.0


@dataclass(slots=True)
class _Group:
    """Files that planes share.

    `looked` is their state when they were last read, `is_given_up` whether that was after the time
    to give up, `why` the reason for waiting. `disproved` holds units that did not unpack, with the
    state at that time and the reason.
    """

    changed_s: float
    state: GroupState | None = None
    looked: tuple[object, ...] | None = None
    is_given_up: bool = False
    why: str = ""
    disproved: dict[Coordinates, tuple[GroupState, str]] = field(default_factory=dict)


class ArrayFollower:
    """Follows the chunks of one array. Not thread-safe.

    Parameters
    ----------
    folder
        Folder of the array.
    max_planes
        Chunks beyond this number of planes are ignored.
    """

    def __init__(
        self, folder: Path, layout: ArrayLayout, patience: Patience, max_planes: int
    ) -> None:
        self._folder = folder
        self._layout = layout
        self._patience = patience
        self._units = Units(folder, layout)
        self._sighted = SightedPlanes(layout, max_planes)
        self._open: dict[Coordinates, _Group] = {}
        self._tree = ChunkTree(
            folder,
            prefix=layout.prefix,
            separator=layout.separator,
            dims=len(layout.shape),
            is_done=self._sighted.has_all,
        )

    @property
    def layout(self) -> ArrayLayout:
        """Layout of the array, as last read."""
        return self._layout

    @property
    def listed(self) -> int:
        """How many times a folder was listed."""
        return self._tree.listed

    @property
    def waiting(self) -> int:
        """Number of groups of files that exist and are not complete."""
        return sum(bool(group.why) for group in self._open.values())

    @property
    def undecided(self) -> int:
        """Number of those groups whose planes were not reported as given up yet."""
        return sum(bool(group.why) and not group.is_given_up for group in self._open.values())

    @property
    def why(self) -> str:
        """Why one of them is not complete; '' where none waits."""
        return next((group.why for group in self._open.values() if group.why), "")

    def glance(self) -> tuple[int, ...]:
        """Return what usually changes when a chunk comes. Never raises."""
        return self._tree.glance()

    def grow(self, layout: ArrayLayout) -> bool:
        """Use rewritten metadata; return False where it describes another array."""
        if not layout.continues(self._layout):
            return False
        if layout.planes_shape[1:] != self._layout.planes_shape[1:]:
            self._tree.forget()  # time points that were done may have more planes now
        self._layout = layout
        self._units = Units(self._folder, layout)
        self._sighted.take_up(layout)
        return True

    def report_again(self) -> None:
        """Report every plane again, after a fact about all of them became known."""
        self._sighted.clear()
        self._open.clear()
        self._tree.forget()

    def mark(self, plane: PlaneIndex) -> str | None:
        """Return the present fingerprint of a plane; None while it is incomplete."""
        found, _ = self._units.examine(self._layout.unit(plane), [plane], final=True, rests=False)
        return found[0].fingerprint if found else None

    def state(self, plane: PlaneIndex) -> GroupState | None:
        """Return what changes when the files of a plane are written; None where none exists."""
        return self._units.files.group_state(self._layout.file_group(plane))

    def look(self, now_s: float, *, full: bool, closed: bool, at_most: int) -> list[PlaneSighting]:
        """Return about `at_most` planes completed since the last look.

        Parameters
        ----------
        full
            List folders even if their time did not change, and check files that rest for long.
        closed
            Whether the writer declares that nothing more comes.

        Raises
        ------
        OSError
            When a folder exists and cannot be read.
        """
        found: list[PlaneSighting] = []
        for at, group in list(self._open.items()):
            if full or now_s - group.changed_s <= self._patience.give_up_s + 1:
                found += self._examine(at, group, now_s, closed=closed)
            if len(found) >= at_most:
                return found
        for file in self._tree.look(now_s, full=full):
            at = tuple(file[dim] for dim in self._layout.plane_dims)
            if at in self._open or not self._sighted.has_room(at):
                continue
            group = self._open[at] = _Group(changed_s=now_s)
            found += self._examine(at, group, now_s, closed=closed)
            if len(found) >= at_most:
                break
        return found

    def prove(self, sighting: PlaneSighting, now_s: float) -> bool:
        """Unpack a plane; an incomplete one is checked again when its files change."""
        why = self._units.prove(sighting.index)
        if not why:
            return True
        at = self._layout.file_group(sighting.index)
        state = self._units.files.group_state(at)
        self._sighted.remove(sighting.index)
        group = self._open.setdefault(at, _Group(changed_s=now_s, state=state))
        group.why, group.looked, group.is_given_up = why, None, False
        if state is not None:
            group.disproved[self._layout.unit(sighting.index)] = state, why
        return False

    def _examine(
        self, at: Coordinates, group: _Group, now_s: float, *, closed: bool
    ) -> list[PlaneSighting]:
        state = self._units.files.group_state(at)
        if state is None:
            del self._open[at]
            return []
        if state != group.state:
            group.state, group.changed_s = state, now_s
        idle_s = now_s - group.changed_s
        overdue = idle_s >= self._patience.give_up_s
        final = closed or idle_s >= self._patience.quiet_s
        rests = self._layout.planes_per_chunk > 1 and idle_s >= _RESTS_S
        looked = (state, overdue, final, rests)
        if looked == group.looked and group.why != MORE_TO_COME:
            return []
        # Unpacked once for each state of the files, not with every look.
        rests = rests and looked != group.looked
        group.looked, group.is_given_up, group.why = looked, overdue, ""
        found: list[PlaneSighting] = []
        for unit in self._layout.units_of(at):
            planes = [each for each in self._layout.planes_of(unit) if each not in self._sighted]
            if not planes:
                continue
            disproved = group.disproved.get(unit)
            if disproved is not None and disproved[0] == state:
                whole, why = list[PlaneSighting](), disproved[1]
            else:
                whole, why = self._units.examine(unit, planes, final=final, rests=rests)
            for sighting in whole:
                self._sighted.add(sighting.index)
            found += whole
            if why and overdue:
                found += _refusals(planes, state, why)
            group.why = group.why or why
        if self._sighted.has_group(at):
            del self._open[at]
        return found


def _refusals(planes: Sequence[PlaneIndex], state: GroupState, why: str) -> list[PlaneSighting]:
    mark = "unfinished " + ",".join(str(each and each[0]) for each in state)
    return [PlaneSighting(index=plane, fingerprint=mark[:200], reason=why) for plane in planes]
