"""Collects the planes of z-stacks, and decides when a stack is complete; for `z: sharpest`.

A stack is complete

- when it has as many planes as its metadata declare, or as earlier stacks of its channel had;
- when its position is at a later time point, and no plane of it came for `settle_s`;
- when no plane of any stack came for `quiet_s`, or none of this stack for `give_up_s`, or its data
  set ended: planes that never come are not waited for.

A plane that comes later is noted, and its stack is offered once more with all its planes. Time
comes as an argument. The number of planes is bounded: stacks that were offered are forgotten, the
oldest first.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from typing import Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.z_stack import PlaneMark, stack_fingerprint, stack_size
from scopewatch.event_log import get_logger
from scopewatch.sources.base.evidence import StatedValue
from scopewatch.sources.base.facts import Origin
from scopewatch.sources.base.found import Found

log = get_logger(__name__)

SETTLE_S: Final = 2.0
QUIET_S: Final = 10.0
GIVE_UP_S: Final = 120.0
HELD: Final = 200_000
_FORGOTTEN_AT_ONCE: Final = 100


@dataclass(slots=True, kw_only=True)
class _Stack:
    """The planes of a stack by their number, and when the last new one came."""

    group: str
    came_s: float
    planes: dict[int, Found] = field(default_factory=dict)
    declared: int = 0
    offered: bool = False

    def found(self) -> Found:
        return stack_of([self.planes[z] for z in sorted(self.planes)])


class Stacks:
    """The z-stacks of one source: its thread adds planes, any thread completes tickets.

    Parameters
    ----------
    settle_s, quiet_s, give_up_s
        When a stack is complete without a known number of planes; see above.
    held
        Planes that are held at most, save those of stacks that are not complete.
    """

    def __init__(
        self,
        *,
        settle_s: float = SETTLE_S,
        quiet_s: float = QUIET_S,
        give_up_s: float = GIVE_UP_S,
        held: int = HELD,
    ) -> None:
        self._settle_s = settle_s
        self._quiet_s = max(settle_s, quiet_s)
        self._give_up_s = max(settle_s, give_up_s)
        self._capacity = held
        self._lock = Lock()
        self._stacks: dict[FrameKey, _Stack] = {}
        self._open: dict[FrameKey, _Stack] = {}
        self._held = 0
        self._came_s = 0.0
        # Most planes of a stack so far, by run and channel.
        self._usual: dict[tuple[str, str], int] = {}
        # Newest time point of a position and channel.
        self._newest: dict[FrameKey, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def collect(self, found: Iterable[Found], now_s: float, group: str = "") -> list[Found]:
        """Add planes; return the stacks that are complete with them, and all that is no plane.

        A stack that was offered before is returned again with each of its planes that is added, so
        that the ledger can compare.

        Parameters
        ----------
        group
            Name of the data set that holds them.
        """
        others: list[Found] = []
        touched: dict[FrameKey, _Stack] = {}
        with self._lock:
            for each in found:
                if each.key is None or each.reading is None or each.z is None:
                    others.append(each)
                    continue
                stack = self._stack(each.key, group, now_s)
                twin = stack.planes.get(each.z)
                if twin is not None and twin.locator != each.locator:
                    others.append(_refuse_twin(each, twin, each.z))
                    continue
                stack.declared = max(stack.declared, each.reading.z_planes)
                self._add(stack, each.key, each, each.z, now_s)
                touched[each.key] = stack
            whole = [key for key, stack in touched.items() if self._is_whole(key, stack)]
            offered = [self._offered(key) for key in whole]
        return [*others, *offered]

    def due(self, now_s: float, ended: Collection[str] = ()) -> list[tuple[str, Found]]:
        """Return (group, stack) of those that are complete by now although planes may be missing.

        Parameters
        ----------
        ended
            Groups that get no more planes.
        """
        with self._lock:
            all_quiet = now_s - self._came_s >= self._quiet_s
            keys = [
                key
                for key, stack in self._open.items()
                if all_quiet
                or stack.group in ended
                # The number of planes may be known only now, by another stack.
                or self._is_whole(key, stack)
                or self._is_over(key, stack, now_s)
            ]
            return [(self._stacks[key].group, self._offered(key)) for key in keys]

    def complete(self, ticket: FrameTicket) -> FrameTicket:
        """Return a ticket with the planes of its stack; the ledger gives it without them.

        Raises
        ------
        FrameError
            When the planes of the stack were not found since the start.
        """
        if ticket.planes or not stack_size(ticket.fingerprint):
            return ticket
        with self._lock:
            stack = self._stacks.get(ticket.key)
            planes = stack.found().planes if stack is not None else ()
        if not planes:
            raise FrameError(
                complaint(
                    "planes of the z-stack are not known yet",
                    where=ticket.locator,
                    do="wait until its source has looked through its files, and try again",
                )
            )
        return replace(ticket, planes=planes)

    def _stack(self, key: FrameKey, group: str, now_s: float) -> _Stack:
        stack = self._stacks.get(key)
        if stack is None:
            stack = self._stacks[key] = self._open[key] = _Stack(group=group, came_s=now_s)
        stack.group = group
        return stack

    def _add(self, stack: _Stack, key: FrameKey, plane: Found, z: int, now_s: float) -> None:
        before = stack.planes.get(z)
        if before is not None and before.fingerprint == plane.fingerprint:
            content = plane.content or before.content
            stack.planes[z] = replace(plane, content=content)
            return
        stack.planes[z] = plane
        self._held += before is None
        stack.came_s = self._came_s = now_s
        place = replace(key, time_point=0)
        self._newest[place] = max(key.time_point, self._newest.get(place, 0))
        if stack.offered:
            log.info(
                "plane came after its z-stack was judged: the stack is judged again",
                key=str(key),
                plane=z,
                planes=len(stack.planes),
            )
            stack.offered = False
            self._open[key] = stack
        self._forget_oldest()

    def _is_whole(self, key: FrameKey, stack: _Stack) -> bool:
        wanted = stack.declared or self._usual.get((key.run, key.channel), 0)
        return stack.offered or 0 < wanted <= len(stack.planes)

    def _is_over(self, key: FrameKey, stack: _Stack, now_s: float) -> bool:
        quiet_s = now_s - stack.came_s
        later = self._newest.get(replace(key, time_point=0), 0) > key.time_point
        return quiet_s >= self._give_up_s or (later and quiet_s >= self._settle_s)

    def _offered(self, key: FrameKey) -> Found:
        stack = self._stacks[key]
        stack.offered = True
        self._open.pop(key, None)
        kind = (key.run, key.channel)
        self._usual[kind] = max(len(stack.planes), self._usual.get(kind, 0))
        if 0 < len(stack.planes) < stack.declared:
            log.warning(
                "z-stack is judged without some of its planes",
                key=str(key),
                expected=stack.declared,
                planes=len(stack.planes),
            )
        return stack.found()

    def _forget_oldest(self) -> None:
        if self._held <= self._capacity:
            return
        for key in list(islice(self._stacks, _FORGOTTEN_AT_ONCE)):
            if self._stacks[key].offered:
                self._held -= len(self._stacks.pop(key).planes)


def stack_of(planes: Sequence[Found]) -> Found:
    """Return the frame of a stack by its planes, the lowest first.

    Its locator, moment and content are those of its lowest plane; its fingerprint changes with any
    of them.
    """
    lowest = planes[0]
    marks = tuple(
        PlaneMark(locator=each.locator, fingerprint=each.fingerprint, z=each.z)
        for each in planes
        if each.z is not None
    )
    contents = [each.content for each in planes]
    reading = lowest.reading
    if reading is not None:
        chosen = StatedValue(
            value=f"sharpest of {len(marks)}", origin=Origin.SETTING, by="setting z"
        )
        reading = replace(reading, accepted={**reading.accepted, "z": chosen}, z=None)
    return replace(
        lowest,
        fingerprint=stack_fingerprint([mark.fingerprint for mark in marks]),
        content=_digest(contents) if all(contents) else "",
        reading=reading,
        planes=marks,
    )


def gather(found: Iterable[Found]) -> list[Found]:
    """Return what was found with its planes as stacks, where all of it is there already."""
    others: list[Found] = []
    stacks: dict[FrameKey, dict[int, Found]] = {}
    for each in found:
        if each.key is None or each.z is None:
            others.append(each)
            continue
        twin = stacks.setdefault(each.key, {}).setdefault(each.z, each)
        if twin.locator != each.locator:
            others.append(_refuse_twin(each, twin, each.z))
    return [*others, *(stack_of([planes[z] for z in sorted(planes)]) for planes in stacks.values())]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32]


def _refuse_twin(plane: Found, twin: Found, z: int) -> Found:
    reason = complaint(
        "plane of a z-stack is there twice",
        where=plane.locator,
        got=f"plane {z} of {plane.key}, as {twin.locator}",
        do="take copies out of the folder, or write a `pattern` that tells them apart",
    )
    return Found(locator=plane.locator, fingerprint=plane.fingerprint, reason=reason)
