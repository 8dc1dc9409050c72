"""Reads metadata of Micro-Manager: tags of a plane, and the `metadata.txt` of a series.

The same tags are in the TIFF tag 51123 of stacks and NDTiff, in the ImageJ info of single files,
and in `metadata.txt`, which has no closing brace until the series ends and may be cut anywhere: its
complete entries are used.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.readers.micromanager_places import (
    Tags,
    count,
    listed_label,
    plain,
    tagged_label,
    tagged_place,
    whole,
)
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import parse_time, time_facts

_DECODER = json.JSONDecoder()
_THREE_YEARS_MS = 1e11


def load_tags(text: str | bytes) -> dict[str, Any] | None:
    """Parse one JSON object; None where it is truncated, filler, or no object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def tag_facts(tags: Tags, summary: Tags) -> PlaneFacts:
    """Return the facts in the tags of one image.

    An index of 0 in a series of unknown or single length is ignored: a single file has its time
    point, if at all, in its own name.
    """
    time_point = _index(tags, ("FrameIndex", "Frame"), summary, "Frames")
    position = _index(tags, ("PositionIndex",), summary, "Positions")
    label = tagged_label(tags) or listed_label(summary, count(tags.get("PositionIndex")))
    indexed = PlaneFacts(
        time_point=time_point,
        z=_index(tags, ("SliceIndex", "Slice"), summary, "Slices"),
        z_planes=listed_planes(summary),
        position=label or position,
    )
    of_set = PlaneFacts(
        channel=listed_channel(summary, count(tags.get("ChannelIndex"))),
        pixel_size_um=pixel_size_um(summary),
    )
    of_image = image_facts(tags, summary, time_point=time_point, position=position)
    return indexed.over(of_image).over(of_set)


def listed_planes(summary: Tags) -> int | None:
    """Return how many planes a stack has; None where a summary states no stacks."""
    planes = count(summary.get("Slices"))
    return planes if planes is not None and planes > 1 else None


def image_facts(
    tags: Tags, summary: Tags, *, time_point: int | None, position: str | int | None
) -> PlaneFacts:
    """Return the facts in the tags of one image besides its indices.

    Parameters
    ----------
    summary
        Summary of the series or data set: an elapsed time counts from its start.
    time_point
        Time point of the image; after the first, an elapsed time of 0 is a placeholder.
    position
        Label or number of its stage position. A number distinguishes the sites of a well where the
        tags hold only the well.
    """
    place = tagged_place(tags)
    if place.well is not None and place.site is None and isinstance(position, int):
        place = replace(place, site=count(position))
    return (
        PlaneFacts(
            channel=named(tags.get("Channel")),
            position=tagged_label(tags),
            pixel_size_um=pixel_size_um(tags),
        )
        .over(place)
        .over(_time(tags, summary, time_point))
    )


def pixel_size_um(tags: Tags) -> float | None:
    """Return the calibrated pixel size in tags or a summary; None for 0, not calibrated."""
    for name in ("PixelSizeUm", "PixelSize_um", "pixel_size_um"):
        if (size_um := calibrated_um(plain(tags.get(name)))) is not None:
            return size_um
    return None


def listed_channel(summary: Tags, index: int | None) -> str | None:
    """Return the name of a channel by its number in the summary of a data set."""
    names = summary.get("ChNames")
    if not isinstance(names, list) or index is None or not 0 <= index < len(names):
        return None
    return named(names[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMetadata:
    """A `metadata.txt`: the summary, and the facts of each image by file name."""

    summary: dict[str, Any]
    images: dict[str, PlaneFacts]

    def of(self, name: str) -> PlaneFacts | None:
        """Return the facts of an image file; None where the series does not list it (yet)."""
        return self.images.get(name)


def read_series(text: str) -> SeriesMetadata:
    """Read `metadata.txt` of Micro-Manager 1.4 and 2.0, as far as it is written."""
    blocks = _blocks(text)
    summary = blocks.pop("Summary", {})
    tags: dict[str, dict[str, Any]] = {}
    stacks: set[str] = set()
    for key, block in blocks.items():
        kind, _, rest = key.partition("-")
        name = {"FrameKey": block.get("FileName"), "Coords": rest, "Metadata": rest}.get(kind)
        if isinstance(name, str) and name:
            values = _coordinates(block) if kind == "Coords" else block
            base = PurePosixPath(name.replace("\\", "/")).name
            if kind == "FrameKey" and base in tags:
                stacks.add(base)
            tags.setdefault(base, {}).update(values)
    # The pages of a stack hold their tags themselves; one entry cannot describe all of them.
    images = {
        name: tag_facts(of_image, summary) for name, of_image in tags.items() if name not in stacks
    }
    return SeriesMetadata(summary=summary, images=images)


def _blocks(text: str) -> dict[str, dict[str, Any]]:
    """Return the complete members of the outermost object."""
    whole = load_tags(text)
    if whole is not None:
        return {key: block for key, block in whole.items() if isinstance(block, dict)}
    blocks: dict[str, dict[str, Any]] = {}
    at = text.find("{") + 1
    while at:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            key, at = _DECODER.raw_decode(text, at)
            colon = text.index(":", at)
            at = colon + 1
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
            block, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        if isinstance(key, str) and isinstance(block, dict):
            blocks[key] = block
    return blocks


def _coordinates(block: Tags) -> dict[str, Any]:
    """Convert the coordinates of 2.0 to the tags of 1.4."""
    spelt: dict[str, Any] = {}
    for name, axes in (
        ("FrameIndex", ("time", "t")),
        ("SliceIndex", ("z",)),
        ("ChannelIndex", ("channel", "c")),
        ("PositionIndex", ("position", "stagePosition", "p")),
    ):
        for axis in axes:
            if (value := whole(block.get(axis))) is not None:
                spelt[name] = value
    return spelt


def _index(tags: Tags, names: tuple[str, ...], summary: Tags, length: str) -> int | None:
    index = next((i for name in names if (i := whole(tags.get(name))) is not None), None)
    if index == 0 and (count(summary.get(length)) or 0) <= 1:
        return None
    # Only planes may be counted from below 0.
    return index if index is None or index >= 0 or length == "Slices" else None


def _time(tags: Tags, summary: Tags, time_point: int | None) -> PlaneFacts:
    for name in ("ReceivedTime", "receivedTime", "Time"):
        if moment := parse_time(plain(tags.get(name))):
            return time_facts(moment).over(_run_time(tags, summary, time_point))
    elapsed_ms = _elapsed_ms(tags, time_point)
    began = _began(summary)
    if elapsed_ms is None or began is None:
        return NOTHING
    if began.tzinfo is None:
        return PlaneFacts(wall_time=began, since_wall_s=elapsed_ms / 1000)
    return PlaneFacts(acquired_at=began + timedelta(milliseconds=elapsed_ms))


def _run_time(tags: Tags, summary: Tags, time_point: int | None) -> PlaneFacts:
    """Return the start of the acquisition, and the time since then."""
    elapsed_ms, began = _elapsed_ms(tags, time_point), _began(summary)
    if elapsed_ms is None or began is None:
        return NOTHING
    return PlaneFacts(ran_since=began, ran_s=elapsed_ms / 1000)


def _began(summary: Tags) -> datetime | None:
    times = (parse_time(summary.get(name)) for name in ("StartTime", "DateAndTime"))
    return next((time for time in times if time is not None), None)


def _elapsed_ms(tags: Tags, time_point: int | None) -> float | None:
    elapsed_ms = tags.get("ElapsedTime-ms")
    if not isinstance(elapsed_ms, int | float) or isinstance(elapsed_ms, bool):
        return None
    if not 0 <= elapsed_ms < _THREE_YEARS_MS:
        return None
    # pycro-manager writes 0 into every image.
    return None if elapsed_ms == 0 and time_point else elapsed_ms
