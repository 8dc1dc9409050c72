"""What Micro-Manager says of its images: tags of a plane, and the `metadata.txt` of a series.

The same tags stand in the TIFF tag 51123 of stacks and NDTiff, in the ImageJ info of single
files, and in `metadata.txt`, which has no closing brace until the series ends and may be cut
anywhere: what was written whole is used.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.timestamps import parse_time, time_facts

Tags = Mapping[str, Any]
_DECODER = json.JSONDecoder()


def load_tags(text: str | bytes) -> dict[str, Any] | None:
    """Parse one JSON object; None where it is cut off, filler, or no object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def tag_facts(tags: Tags, summary: Tags) -> PlaneFacts:
    """Return what the tags of one image say.

    An index of 0 in a series of unknown or single length says nothing: a lone file names its
    time point, if at all, in its own name.
    """
    return PlaneFacts(
        time_point=_index(tags, ("FrameIndex", "Frame"), summary, "Frames"),
        channel=_channel(tags, summary),
        z=_index(tags, ("SliceIndex", "Slice"), summary, "Slices"),
        position=_position(tags, summary),
        pixel_size_um=_pixel_size(tags, summary),
    ).over(_time(tags, summary))


def axes_facts(axes: Tags, tags: Tags, summary: Tags) -> PlaneFacts:
    """Return what an NDTiff image says: its axes, which always count, and its tags."""
    facts = tag_facts(tags, summary)
    channel = axes.get("channel")
    if isinstance(channel, int) and not isinstance(channel, bool):
        names = summary.get("ChNames")
        by_index = names[channel] if isinstance(names, list) and 0 <= channel < len(names) else None
        channel = named(by_index) or named(tags.get("Channel")) or f"channel{channel}"
    position = axes.get("position")
    return replace(
        facts,
        time_point=_whole(axes.get("time")),
        channel=named(channel) or facts.channel,
        z=_whole(axes.get("z")),
        position=position if isinstance(position, str | int) else facts.position,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMetadata:
    """A `metadata.txt`: the summary, and the facts of each image by file name."""

    summary: dict[str, Any]
    images: dict[str, PlaneFacts]

    def of(self, name: str) -> PlaneFacts | None:
        """Return the facts of an image file; None where the series does not list it (yet)."""
        return self.images.get(name)


def read_series(text: str) -> SeriesMetadata:
    """Read `metadata.txt` of Micro-Manager 1.4 and 2.0, however far it is written."""
    blocks = _blocks(text)
    summary = blocks.pop("Summary", {})
    tags: dict[str, dict[str, Any]] = {}
    stacks: set[str] = set()
    for key, block in blocks.items():
        kind, _, rest = key.partition("-")
        name = {"FrameKey": block.get("FileName"), "Coords": rest, "Metadata": rest}.get(kind)
        if isinstance(name, str) and name:
            told = _coordinates(block, summary) if kind == "Coords" else block
            base = PurePosixPath(name.replace("\\", "/")).name
            if kind == "FrameKey" and base in tags:
                stacks.add(base)
            tags.setdefault(base, {}).update(told)
    # The pages of a stack carry their tags themselves; one entry cannot speak for all of them.
    images = {
        name: tag_facts(of_image, summary) for name, of_image in tags.items() if name not in stacks
    }
    return SeriesMetadata(summary=summary, images=images)


def _blocks(text: str) -> dict[str, dict[str, Any]]:
    """Return the members of the outermost object that were written whole."""
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


def _coordinates(block: Tags, summary: Tags) -> dict[str, Any]:
    """Spell the coordinates of 2.0 as the tags of 1.4."""
    spelt: dict[str, Any] = {}
    for name, axes in (
        ("FrameIndex", ("time", "t")),
        ("SliceIndex", ("z",)),
        ("ChannelIndex", ("channel", "c")),
        ("PositionIndex", ("position", "stagePosition", "p")),
    ):
        for axis in axes:
            if (value := _whole(block.get(axis))) is not None:
                spelt[name] = value
    labels = summary.get("StagePositions")
    index = spelt.get("PositionIndex")
    if isinstance(labels, list) and index is not None and index < len(labels):
        entry = labels[index]
        label = entry.get("label", entry.get("Label")) if isinstance(entry, dict) else None
        if named(label):
            spelt["PositionName"] = label
    return spelt


def _plain(value: object) -> object:
    """Unwrap `{"PropVal": ..., "PropType": ...}`."""
    return value.get("PropVal") if isinstance(value, dict) else value


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 10**9 else None


def _index(tags: Tags, names: tuple[str, ...], summary: Tags, count: str) -> int | None:
    index = next((i for name in names if (i := _whole(tags.get(name))) is not None), None)
    if index == 0 and (_whole(summary.get(count)) or 0) <= 1:
        return None
    return index


def _channel(tags: Tags, summary: Tags) -> str | None:
    if channel := named(tags.get("Channel")):
        return channel
    names, index = summary.get("ChNames"), _whole(tags.get("ChannelIndex"))
    if isinstance(names, list) and index is not None and index < len(names):
        return named(names[index])
    return None


def _position(tags: Tags, summary: Tags) -> str | int | None:
    if label := named(tags.get("PositionName")):
        return label
    index = _whole(tags.get("PositionIndex"))
    return None if index == 0 and (_whole(summary.get("Positions")) or 0) <= 1 else index


def _pixel_size(tags: Tags, summary: Tags) -> float | None:
    for place, name in (
        (tags, "PixelSizeUm"),
        (tags, "PixelSize_um"),
        (summary, "PixelSize_um"),
    ):
        if (size_um := calibrated_um(_plain(place.get(name)))) is not None:
            return size_um
    return None


def _time(tags: Tags, summary: Tags) -> PlaneFacts:
    for name in ("ReceivedTime", "receivedTime", "Time"):
        if moment := parse_time(_plain(tags.get(name))):
            return time_facts(moment)
    elapsed_ms = tags.get("ElapsedTime-ms")
    if not isinstance(elapsed_ms, int | float) or isinstance(elapsed_ms, bool):
        return NOTHING
    if not 0 <= elapsed_ms < 1e11:  # three years
        return NOTHING
    for name in ("StartTime", "DateAndTime"):
        began = parse_time(summary.get(name))
        if began is not None and began.tzinfo is None:
            return PlaneFacts(wall_time=began, since_wall_s=elapsed_ms / 1000)
        if began is not None:
            return PlaneFacts(acquired_at=began + timedelta(milliseconds=elapsed_ms))
    return NOTHING
