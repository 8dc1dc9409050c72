"""Reads the place of an image from Micro-Manager's metadata: labels, wells, sites, numbers.

Each generation of Micro-Manager, and each program that writes its formats, has its own spelling.
The label of a stage position is stored with the image (`PositionName`), or once for the data set in
a list that is indexed by the number of the position (`StagePositions`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts

Tags = Mapping[str, Any]
# Micro-Manager 1.4 and 2.0 ("Position" in some versions), pycro-manager; useq-schema.
_NAMES = ("PositionName", "positionName", "Position", "pos_name")
# Summaries: Micro-Manager 2.0, 1.4, position lists; useq-schema.
_LISTS = ("StagePositions", "InitialPositionList", "POSITIONS", "stage_positions")
_LABELS = ("Label", "label", "LABEL", "name", "Name")
_SEQUENCES = ("mda_sequence", "useq_MDASequence")
_WELLS = ("Well", "well", "WellName", "WellLabel", "well_name")
_SITES = ("Site", "site", "FieldOfView", "Field", "fov")
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_MOST = 10**9


def plain(value: object) -> object:
    """Unwrap a property: `{"PropVal": ...}`, or `{"type": ..., "scalar": ...}` (or `array`)."""
    if isinstance(value, Mapping):
        for key in ("PropVal", "scalar", "array"):
            if key in value:
                return value[key]
        return None
    return value


def whole(value: object) -> int | None:
    """Return a whole number, also one written as text; None for anything else.

    >>> whole("007"), whole(-2), whole(3.0), whole("day 3"), whole(True)
    (7, -2, 3, None, None)
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) and value.isascii():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_MOST < value < _MOST else None


def count(value: object) -> int | None:
    """Return a whole number from 0; None for anything else."""
    number = whole(value)
    return number if number is not None and number >= 0 else None


def tagged_label(tags: Tags) -> str | None:
    """Return the label of the stage position in the tags of an image."""
    for name in _NAMES:
        if label := named(plain(tags.get(name))):
            return label
    event = tags.get("mda_event")
    return named(event.get("pos_name")) if isinstance(event, Mapping) else None


def listed_label(summary: Tags, index: int | None) -> str | None:
    """Return the label of a stage position by its number in the summary of a data set."""
    if index is None or index < 0:
        return None
    for positions in _position_lists(summary):
        entry = positions[index] if index < len(positions) else None
        for name in _LABELS:
            if isinstance(entry, Mapping) and (label := named(plain(entry.get(name)))):
                return label
    return None


def tagged_place(tags: Tags) -> PlaneFacts:
    """Return the well and site that the tags of an image hold as such."""
    user = plain(tags.get("UserData")) or tags.get("UserData")
    for place in (tags, user if isinstance(user, Mapping) else {}):
        for name in _WELLS:
            value = plain(place.get(name))
            well = str(value) if count(value) is not None else named(value)
            if well:
                sites = (count(plain(place.get(each))) for each in _SITES)
                return PlaneFacts(well=well, site=next((s for s in sites if s is not None), None))
    return NOTHING


def _position_lists(summary: Tags) -> Iterator[list[Any]]:
    places = [summary, *(summary.get(name) for name in _SEQUENCES)]
    for place in places:
        if not isinstance(place, Mapping):
            continue
        for name in _LISTS:
            value = plain(place[name]) if isinstance(place.get(name), Mapping) else place.get(name)
            if isinstance(value, list):
                yield value
