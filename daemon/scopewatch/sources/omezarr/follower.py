"""The planes of one OME-Zarr array, found as their chunks come; each is reported once.

A chunk of several planes is final when a later chunk is there, its image is closed, or its file did
not change for a while. What never gets whole is reported with the reason, and looked at again when
its files change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scopewatch.sources.omezarr.chunks import GroupState
from scopewatch.sources.omezarr.image import PlaneIndex
from scopewatch.sources.omezarr.layout import ArrayLayout, Coordinates
from scopewatch.sources.omezarr.sighted import SightedPlanes
from scopewatch.sources.omezarr.tree import ChunkTree
from scopewatch.sources.omezarr.units import MORE_TO_COME, PlaneSighting, Units

# Files that did not change for so long are not in the middle of being written down.
_RESTS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what is not whole, since its files changed last.

    Parameters
    ----------
    quiet_s
        Before a chunk of several planes is taken as final.
    give_up_s
        Before a plane that is not whole is reported with the reason.
    """

    quiet_s: float = 5.0
    give_up_s: float = 60.0


@dataclass(slots=True)
class _Group:
    """Files that planes share.

    `looked` is how they were when they were looked into, `why` what is waited for. `disproved`
    holds units that did not unpack, the state under which they did not, and why.
    """

    changed_s: float
    state: GroupState | None = None
    looked: tuple[object, ...] | None = None
    why: str = ""
    disproved: dict[Coordinates, tuple[GroupState, str]] = field(default_factory=dict)


class ArrayFollower:
    """Follows the chunks of one array. Not thread-safe.

    Parameters
    ----------
    folder
        Of the array.
    max_planes
        Chunks that would make it more are left alone.
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
        """How the array lies on disk, as it was read last."""
        return self._layout

    @property
    def listed(self) -> int:
        """How often a folder was listed."""
        return self._tree.listed

    @property
    def waiting(self) -> int:
        """Groups of files of which something is there and not whole."""
        return sum(bool(group.why) for group in self._open.values())

    @property
    def why(self) -> str:
        """Why one of them is not whole; '' where none waits."""
        return next((group.why for group in self._open.values() if group.why), "")

    def glance(self) -> tuple[int, ...]:
        """Return what changes when a chunk comes, as a rule. Never raises."""
        return self._tree.glance()

    def grow(self, layout: ArrayLayout) -> bool:
        """Take up metadata written anew; False where it describes another array."""
        if not layout.continues(self._layout):
            return False
        if layout.planes_shape[1:] != self._layout.planes_shape[1:]:
            self._tree.forget()  # of time points that were done there may be more now
        self._layout = layout
        self._units = Units(self._folder, layout)
        self._sighted.take_up(layout)
        return True

    def report_again(self) -> None:
        """Report every plane once more: something about all of them got known."""
        self._sighted.clear()
        self._open.clear()
        self._tree.forget()

    def mark(self, plane: PlaneIndex) -> str | None:
        """Return the fingerprint of a plane as it is now; None while it is not whole."""
        found, _ = self._units.examine(self._layout.unit(plane), [plane], final=True, rests=False)
        return found[0].fingerprint if found else None

    def state(self, plane: PlaneIndex) -> GroupState | None:
        """Return what changes when the files of a plane are written; None where none is there."""
        return self._units.files.group_state(self._layout.file_group(plane))

    def look(self, now_s: float, *, full: bool, closed: bool, at_most: int) -> list[PlaneSighting]:
        """Return planes that got whole since the last look, about so many at most.

        Parameters
        ----------
        full
            List folders whatever their time says, and look at what did not change for long.
        closed
            The writer says that nothing more comes.

        Raises
        ------
        OSError
            When a folder is there and cannot be read.
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
        """Unpack a plane; one that is not whole is looked at again when its files change."""
        why = self._units.prove(sighting.index)
        if not why:
            return True
        at = self._layout.file_group(sighting.index)
        state = self._units.files.group_state(at)
        self._sighted.remove(sighting.index)
        group = self._open.setdefault(at, _Group(changed_s=now_s, state=state))
        group.why, group.looked = why, None
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
        group.looked, group.why = looked, ""
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
