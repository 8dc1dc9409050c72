"""Statements about an image of an NDTiff data set: axes, tags, and the summary of the set.

The axes always count. Micro-Manager writes whole numbers on all of them, so that names of positions
and channels are in the tags or the summary; pycro-manager writes names on the axes too. Indices
in the tags (`FrameIndex`, `PositionIndex`) are 0 in every image and are ignored.
"""

import json
from collections.abc import Mapping
from typing import Any

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.micromanager_metadata import (
    image_facts,
    listed_channel,
    listed_planes,
    pixel_size_um,
)
from scopewatch.sources.readers.micromanager_places import count, listed_label, whole

Axes = Mapping[str, Any]
_KNOWN = ("time", "position", "channel", "z")


def image_statements(axes: Axes, tags: Axes, summary: Axes) -> tuple[Statement, ...]:
    """Return the statements of an image's axes and tags and of the summary of its data set."""
    position = axes.get("position", count(tags.get("PositionIndex")) or None)
    if not isinstance(position, str):
        position = count(position)
    time_point = count(axes.get("time"))
    by_axes = PlaneFacts(
        time_point=time_point,
        channel=_channel(axes.get("channel"), tags, summary),
        z=whole(axes.get("z")),
        position=position,
    )
    by_tags = image_facts(tags, summary, time_point=time_point, position=position)
    number = position if isinstance(position, int) else None
    by_summary = PlaneFacts(
        position=listed_label(summary, number),
        pixel_size_um=pixel_size_um(summary),
        z_planes=listed_planes(summary),
    )
    return tuple(
        Statement(origin=origin, by=by, facts=facts)
        for origin, by, facts in (
            (Origin.PLANE, "NDTiff axes", by_axes),
            (Origin.PLANE, "NDTiff image tags", by_tags),
            (Origin.SET, "NDTiff summary", by_summary),
        )
        if facts != NOTHING
    )


def refuse_axes(axes: Axes, where: object) -> None:
    """Refuse an image on an unknown axis, or without a number where one is expected.

    Raises
    ------
    FrameError
        Naming the axis.
    """
    unknown = [axis for axis, at in axes.items() if axis not in _KNOWN and whole(at) != 0]
    if unknown:
        raise FrameError(
            complaint(
                "image lies on an unknown axis",
                where=where,
                expected=", ".join(_KNOWN),
                got=", ".join(unknown),
                do="acquire positions as the axis `position`",
            )
        )
    for axis, at in axes.items():
        named_axis = axis in ("position", "channel") and isinstance(at, str)
        if axis in _KNOWN and not named_axis and (whole if axis == "z" else count)(at) is None:
            raise FrameError(
                complaint(
                    "axis of the image holds no number",
                    where=where,
                    expected=f"a whole number on the axis {axis}",
                    got=json.dumps(at),
                    do="acquire with numbers on the axes time and z",
                )
            )


def _channel(channel: object, tags: Axes, summary: Axes) -> str | None:
    """Return the channel of an image: its name from any place ranks before its number."""
    if isinstance(channel, str):
        return named(channel)
    number = count(channel)
    if number is None:
        return None
    return listed_channel(summary, number) or named(tags.get("Channel")) or f"channel{number}"
