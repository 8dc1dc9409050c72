"""Which planes a time-lapse takes of its images, and the events that take them. Pure.

A stack is one image of the plan: its planes are taken one after the other, upwards or as they are
given, and have their number on the axis `z`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.sources.micromanager.events import Event

Plane = int | None  # None: an image that is no stack


@dataclass(frozen=True, slots=True, kw_only=True)
class ZStack:
    """Planes of a time point.

    Parameters
    ----------
    offsets_um
        Their heights from the one that an image would be taken at; empty where none are taken.
    channels
        The channels they are taken of.
    """

    offsets_um: tuple[float, ...] = ()
    channels: frozenset[str | None] = frozenset()

    def planes(self, channel: str | None) -> tuple[Plane, ...]:
        """Return the planes of an image."""
        return tuple(range(len(self.offsets_um))) if channel in self.channels else (None,)

    def events(self, event: Event, planes: Collection[Plane]) -> list[Event]:
        """Return the events of some planes of an image, whose own event gives its height."""
        return [
            event
            if plane is None
            else {
                **event,
                "axes": {**event["axes"], "z": plane},
                "z": event["z"] + self.offsets_um[plane],
            }
            for plane in planes
        ]


NO_STACK = ZStack()


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSince:
    """The planes that are taken from a time point on."""

    since: int
    stack: ZStack


def z_stack_of(config: MicroManagerSourceConfig) -> ZStack:
    """Return the planes that a settled source takes."""
    if config.z_stack is None:
        return NO_STACK
    channels = {each.preset for each in config.channels if each.in_z_stack}
    return ZStack(
        offsets_um=config.z_stack.planes_um,
        channels=frozenset(channels if config.channels else {None}),
    )


def stack_at(stacks: tuple[StackSince, ...], index: int) -> ZStack:
    """Return the planes of a time point."""
    return next((each.stack for each in reversed(stacks) if each.since <= index), NO_STACK)


def changed_stacks(
    stacks: tuple[StackSince, ...], stack: ZStack, since: int
) -> tuple[StackSince, ...]:
    """Return the planes of a plan that takes others from a time point on; the same where not."""
    if (stacks[-1].stack if stacks else NO_STACK) == stack:
        return stacks
    before = tuple(each for each in stacks if each.since < since)
    if stack_at(before, since) == stack:
        return before
    return (*before, StackSince(since=since, stack=stack))
