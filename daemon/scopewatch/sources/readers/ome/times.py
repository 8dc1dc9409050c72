"""Time at which each plane of an image in an OME-XML was taken.

Given by `DeltaT` of the plane, else by `TimeIncrement` times its index; `AcquisitionDate` is only
the moment of the first plane: a plane that nothing else dates was taken its index x `interval_h`
later.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import TypedDict
from xml.etree import ElementTree as Xml

from scopewatch.sources.readers.ome.plates import number_of
from scopewatch.sources.readers.timestamps import parse_iso

_UNIT_S = {
    "s": 1.0,
    "ms": 1e-3,
    "\u00b5s": 1e-6,
    "ns": 1e-9,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_LONGEST_S = 1e8  # three years
Coordinate = tuple[int, int, int]  # c, t, z


class Times(TypedDict, total=False):
    """The facts of a plane about the time at which it was taken."""

    acquired_at: datetime
    wall_time: datetime
    since_wall_s: float
    elapsed_s: float
    series_began: datetime
    series_index: int


class ImageTimes:
    """The times of the planes of one image.

    Parameters
    ----------
    utc
        A date without a zone is UTC; else it is local time at the microscope.
    """

    def __init__(self, image: Xml.Element, pixels: Xml.Element, times: int, *, utc: bool) -> None:
        began = image.find("{*}AcquisitionDate")
        date = parse_iso(began.text) if began is not None else None
        if date is not None and date.tzinfo is None and utc:
            date = date.replace(tzinfo=UTC)
        self._began = date
        self._several = times > 1
        self._increment_s = _seconds(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit"))
        self._delta_s: dict[Coordinate, float] = {}
        for plane in pixels.findall("{*}Plane"):
            delta_s = _seconds(plane.get("DeltaT"), plane.get("DeltaTUnit"))
            c, t, z = (number_of(plane.get(f"The{axis}")) or 0 for axis in "CTZ")
            # A placeholder of programs that do not know it: no later plane is taken with the first.
            if delta_s is not None and (delta_s > 0 or t == 0):
                self._delta_s[c, t, z] = delta_s

    def of(self, at: Coordinate) -> Times:
        """Return when a plane was taken, as facts about it; empty where that is not stated."""
        since_s = self._since_s(at)
        if since_s is None:
            began = self._began
            return {} if began is None else {"series_began": began, "series_index": at[1]}
        if self._began is None:
            # The start of a moment that is given alone is not known.
            return {"elapsed_s": since_s} if self._several else {}
        if self._began.tzinfo is None:
            return {"wall_time": self._began, "since_wall_s": since_s}
        return {"acquired_at": self._began + timedelta(seconds=since_s)}

    def _since_s(self, at: Coordinate) -> float | None:
        if at in self._delta_s:
            return self._delta_s[at]
        if at[1] == 0 and self._began is not None:
            return 0.0
        return self._increment_s * at[1] if self._increment_s else None


def _seconds(text: str | None, unit: str | None) -> float | None:
    """Return a duration; None where it is none, below zero, or longer than any run."""
    try:
        value_s = float(text or "") * _UNIT_S[unit or "s"]
    except (ValueError, KeyError):
        return None
    return value_s if math.isfinite(value_s) and 0 <= value_s < _LONGEST_S else None
