"""What a plan of useq-schema asks for that is not acquired here, by name: none of it is dropped.

useq-schema passes over keys that it does not know: a misspelt `autofocus_plan` would be gone.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from scopewatch.sources.micromanager.plans.useq_planes import (
    is_stack,
    refused_lone_plane,
    refused_planes,
)

if TYPE_CHECKING:
    from useq import Channel, MDASequence

MOST_POSITIONS: Final = 20_000
MOST_TIME_POINTS: Final = 100_000
# Time points outside, then positions and their grids, then channels.
_ORDER: Final = "tpgcz"
# Axes at whose change the focus can be found: time points, positions and their grids.
FOCUS_AXES: Final = "tpg"
# Keys that useq-schema reads under another name, or wrote once.
_ALSO_KNOWN: Final = frozenset({"row", "col", "uid"})


def refused_parts(sequence: "MDASequence") -> Iterator[str]:
    """Name each part of a plan that is not acquired here; times are looked at by the reader."""
    yield from refused_planes(sequence)
    yield from _of_focus(sequence)
    if sequence.keep_shutter_open_across:
        yield "keep_shutter_open_across"
    yield from _of_order(sequence)
    yield from _of_grid(sequence.grid_plan, "grid_plan")
    for channel in sequence.channels:
        yield from _of_channel(channel, stacked=is_stack(sequence))
    yield from _of_positions(sequence)


def unknown_keys(raw: object, model: object, place: str = "") -> list[str]:
    """Return the keys of raw values that no model has taken, each with its place."""
    if isinstance(raw, list | tuple) and isinstance(model, list | tuple):
        return [
            key
            for index, (one, other) in enumerate(zip(raw, model, strict=False))
            for key in unknown_keys(one, other, f"{place}[{index}]")
        ]
    if isinstance(raw, list) and isinstance(getattr(model, "phases", None), list | tuple):
        return unknown_keys(raw, model.phases, place)  # type: ignore[attr-defined]
    if not isinstance(raw, Mapping) or not isinstance(model, BaseModel):
        return []
    fields = type(model).model_fields
    found = []
    for key, value in raw.items():
        named = f"{place}.{key}" if place else str(key)
        if key in fields:
            found += unknown_keys(value, getattr(model, key), named)
        elif key not in _ALSO_KNOWN:
            found.append(named)
    return found


def _of_focus(sequence: "MDASequence") -> Iterator[str]:
    plan = sequence.autofocus_plan
    if plan is None:
        return
    if plan.autofocus_motor_offset is not None:
        yield f"autofocus_motor_offset {plan.autofocus_motor_offset:g}"
    others = [axis for axis in plan.axes if axis not in FOCUS_AXES]
    if others or not plan.axes:
        yield f"autofocus_plan at each change of {', '.join(others) or 'nothing'}"


def _of_order(sequence: "MDASequence") -> Iterator[str]:
    """Name an order of axes by which images would be taken otherwise than they are here."""
    # `used_axes` of useq-schema makes a list of all time points.
    several = {
        "t": sequence.time_plan is not None,
        "p": len(sequence.stage_positions) > 1,
        "g": sequence.grid_plan is not None,
        "c": len(sequence.channels) > 1,
        "z": is_stack(sequence),
    }
    order = [axis for axis in sequence.axis_order if several.get(axis)]
    left_out = [axis for axis in several if several[axis] and axis not in sequence.axis_order]
    if left_out or order != [axis for axis in _ORDER if axis in order]:
        yield (
            f"axis_order {''.join(sequence.axis_order)} (acquired are time points, in them"
            " positions, in them channels, in them planes)"
        )


def _of_channel(channel: "Channel", *, stacked: bool) -> Iterator[str]:
    of = f" of channel {channel.config!r}"
    if channel.exposure is None:
        yield f"no exposure{of}"
    if channel.z_offset and not stacked:
        # useq-schema passes over it then.
        yield f"z_offset{of} without a z_plan of several planes"
    if channel.camera:
        yield f"camera {channel.camera!r}{of}"


def _of_grid(plan: Any, name: str) -> Iterator[str]:
    """Name what is wrong with places around a position."""
    from useq import RandomPoints, RelativePosition  # noqa: PLC0415

    if plan is None or isinstance(plan, RelativePosition):
        return
    if isinstance(plan, RandomPoints):
        if plan.random_seed is None:
            yield f"{name} of random points without random_seed: others at each start"
        if plan.num_points > MOST_POSITIONS:
            yield f"{name} of {plan.num_points} points"
        return
    if plan.fov_width is None or plan.fov_height is None:
        yield f"{name} without fov_width and fov_height"
    elif plan.num_positions() > MOST_POSITIONS:
        yield f"{name} of {plan.num_positions()} places"


def _of_positions(sequence: "MDASequence") -> Iterator[str]:
    from useq import WellPlatePlan  # noqa: PLC0415

    if isinstance(sequence.stage_positions, WellPlatePlan):
        if sequence.stage_positions.selected_wells is None:
            # Its documentation says that none are meant then, and it visits all.
            yield "a plate without selected_wells"
        points = sequence.stage_positions.well_points_plan
        yield from _of_grid(points, "well_points_plan")
        if getattr(points, "z", 0):
            yield "z of well_points_plan, where a plate has no z to add it to"
        return
    for index, position in enumerate(sequence.stage_positions):
        of = f" of position {position.name or index!r}"
        if position.properties:
            yield f"properties{of}"
        inner = position.sequence
        if inner is None:
            continue
        if is_stack(inner):
            yield f"z_plan of its own{of}"
        elif inner.z_plan is not None:
            yield from refused_lone_plane(inner.z_plan, of)
        yield from _of_grid(inner.grid_plan, f"grid_plan{of}")
        for name in ("channels", "time_plan", "autofocus_plan", "stage_positions", "setup"):
            if getattr(inner, name):
                yield f"{name}{of}"
