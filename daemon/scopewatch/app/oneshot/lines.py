"""The lines of `scopewatch score`: their fields, and which frames are not read at all."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.public_names import public_fields, public_name
from scopewatch.store.archive.first_places import FirstPlaces

SKIPPED = "not-scored"
# In place of a result, where the one that there is holds.
UNCHANGED = "unchanged"

Line = dict[str, Any]

_KEY_PARTS = tuple(public_name(part) for part in fields(FrameKey))


class Screening:
    """Decides which frames are read, in the order in which they are listed.

    Parameters
    ----------
    phase_channel
        The channel that is scored.
    places
        Where each key was listed first.
    kept
        Returns the line that a frame has already, or the frame.
    """

    def __init__(
        self,
        phase_channel: str,
        places: FirstPlaces,
        kept: Callable[[Listed], Listed | Line] = lambda item: item,
    ) -> None:
        self._phase_channel = phase_channel
        self._places = places
        self._kept = kept

    def screen(self, item: Listed | Unlisted) -> Listed | Line:
        """Return an item that is to be read, or the line of one that is not. Raises StoreError."""
        if isinstance(item, Unlisted):
            return named(item) | refused(Fault.UNREADABLE, item.reason)
        if item.key.channel != self._phase_channel:
            return named(item) | refused(SKIPPED, f"not scored: channel {item.key.channel}")
        first = self._places.of(str(item.key), item.place)
        if first != item.place:
            reason = f"duplicate of {first}: both are {item.key}"
            return named(item) | refused(Fault.DUPLICATE, reason)
        return self._kept(item)


def named(item: Listed | Unlisted) -> Line:
    """Return the fields that say which frame it is."""
    key = item.key
    parts = dict.fromkeys(_KEY_PARTS) if key is None else dict(public_fields(key))
    return {"path": item.place, "key": None if key is None else str(key), **parts}


def refused(verdict: str, reason: str) -> Line:
    """Return the fields of a frame without an efficiency."""
    nothing = dict.fromkeys(("positive_fraction", "efficiency", "low", "high", "corrected"))
    return {"verdict": verdict, "reason": reason, **nothing, "overlay": None, "stain": None}


def analysed(result: FrameResult, frame: Frame) -> Line:
    """Return the fields of a frame that was judged."""
    if result.efficiency is None:
        line = refused(str(result.verdict.fault), result.verdict.reason)
    else:
        line = {
            "verdict": "judged",
            "reason": "",
            "positive_fraction": result.positive_fraction,
            "efficiency": result.efficiency.value,
            "low": result.efficiency.low,
            "high": result.efficiency.high,
            "corrected": result.efficiency.corrected,
            "overlay": None,
            "stain": None,
        }
    height, width = frame.pixels.shape
    return line | {
        "height_px": height,
        "width_px": width,
        "um_per_px": frame.pixel_size_um,
        "model_id": result.model_id,
        "measures": dict(result.verdict.measures),
    }


def finish(line: Line) -> Line:
    """Round to six significant digits: more than any of the figures carries."""
    rounded: Line = {}
    for name, value in line.items():
        if isinstance(value, float):
            rounded[name] = float(f"{value:.6g}")
        else:
            rounded[name] = finish(value) if isinstance(value, dict) else value
    return rounded
