"""Planes of a plan of useq-schema: a small z-stack around each position, or why they are none.

A channel without `do_stack` is taken in the middle plane by useq-schema; a channel's `z_offset`
counts from the planes, and from nothing where there are none. `num_positions` of useq-schema 0.9
counts one plane too many where a range is no multiple of its step; its middle plane follows that.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scopewatch.config import PositionConfig, ZStackConfig
from scopewatch.config.focus import MOST_PLANES
from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from useq import MDASequence

_DIGITS = 6
# So many are worth a list; of more it is known that they are several.
_FEW = 10


def is_stack(sequence: "MDASequence") -> bool:
    """Tell whether a plan has a z-stack, and no single plane."""
    plan = sequence.z_plan
    return plan is not None and (plan.num_positions() > _FEW or len(list(plan)) > 1)


def refused_planes(sequence: "MDASequence") -> Iterator[str]:
    """Name planes that are no small z-stack."""
    plan = sequence.z_plan
    if plan is None:
        return
    count = plan.num_positions()
    if count > MOST_PLANES + 1 or len(list(plan)) > MOST_PLANES:
        yield f"z_plan of {count} planes, of which at most {MOST_PLANES} are taken"
    elif not is_stack(sequence):
        yield from refused_lone_plane(plan, "")
    elif len(set(plan)) < len(list(plan)):
        yield "z_plan with one plane twice"
    elif sequence.channels and not any(each.do_stack for each in sequence.channels):
        yield "z_plan, and no channel with do_stack"


def refused_lone_plane(plan: Any, of: str) -> Iterator[str]:
    """Name a single plane that is not the position's own."""
    if not plan.is_relative or list(plan) != [0.0]:
        yield f"z_plan of a plane away from the position's own z{of}"


def z_stack_of_plan(
    sequence: "MDASequence", positions: tuple[PositionConfig, ...], where: object
) -> tuple[ZStackConfig | None, tuple[PositionConfig, ...]]:
    """Return the z-stack of a plan, and its positions with the z that the planes lie around.

    Raises
    ------
    ConfigError
        When absolute planes do not lie around the positions.
    """
    if sequence.z_plan is None or not is_stack(sequence):
        return None, positions
    planes = [float(each) for each in sequence.z_plan]
    if not sequence.z_plan.is_relative:
        z_um = _common_height(positions, planes, where)
        positions = tuple(each.model_copy(update={"z_um": z_um}) for each in positions)
        planes = [each - z_um for each in planes]
    offsets = tuple(round(each, _DIGITS) for each in planes)
    return ZStackConfig(offsets_um=offsets), positions


def middle_um(sequence: "MDASequence", stack: ZStackConfig | None) -> float:
    """Return how far from z a channel is taken that is no stack, beside its own offset."""
    if stack is None or sequence.z_plan is None:
        return 0.0
    return stack.planes_um[sequence.z_plan.num_positions() // 2]


def _common_height(
    positions: Sequence[PositionConfig], planes: Sequence[float], where: object
) -> float:
    """Return the one z that all positions have, or that the planes give to positions without."""
    heights = sorted({each.z_um for each in positions if each.z_um is not None})
    if not heights:
        return planes[len(planes) // 2]
    everywhere = all(each.z_um is not None for each in positions)
    if everywhere and len(heights) == 1 and min(planes) <= heights[0] <= max(planes):
        return heights[0]
    z = ", ".join(f"{each:g}" for each in heights[:3])
    raise ConfigError(
        complaint(
            "absolute z_plan does not lie around the positions, which have a z of their own",
            where=where,
            expected=f"one z for all of them, from {min(planes):g} to {max(planes):g} um, or none",
            got=f"z of {z} um{' and others' * (len(heights) > 3)}",
            do="write a relative z_plan (range, above and below, or relative)",
        )
    )
