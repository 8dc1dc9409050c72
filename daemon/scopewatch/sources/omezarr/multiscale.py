"""Axes, scale and units of the multiscale entry in OME-Zarr metadata."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.omezarr.nodes import objects

_KINDS: Final = {"time": "t", "channel": "c"}
_NAMES: Final = frozenset("tczyx")
# Before 0.3 the order was fixed.
_OLD_AXES: Final = ("t", "c", "z", "y", "x")
_OLD: Final = frozenset({"0.1", "0.2"})
_UNIT_S: Final = MappingProxyType(
    {
        **dict.fromkeys(("second", "seconds", "s", "sec"), 1.0),
        **dict.fromkeys(("millisecond", "milliseconds", "ms"), 1e-3),
        **dict.fromkeys(("microsecond", "us", "\u00b5s", "\u03bcs"), 1e-6),
        **dict.fromkeys(("minute", "minutes", "min"), 60.0),
        **dict.fromkeys(("hour", "hours", "h"), 3600.0),
        **dict.fromkeys(("day", "days", "d"), 86_400.0),
    }
)
LONGEST_S = 1e9


def read_axes(multiscale: Mapping[str, Any], version: str, where: object) -> tuple[str, ...]:
    """Return the letter of each axis in the order of the array; other axes by their name.

    Raises
    ------
    FrameError
        When x and y are not there, each once.
    """
    declared = multiscale.get("axes")
    if declared is None and version in _OLD:
        return _OLD_AXES
    axes = []
    for entry in declared if isinstance(declared, list) else []:
        name = entry.get("name") if isinstance(entry, dict) else entry
        kind = entry.get("type") if isinstance(entry, dict) else None
        letter = _KINDS.get(kind, name) if isinstance(kind, str) else name
        # iohub and its users write T, C, Z, Y, X.
        axes.append(str(letter).lower() if str(letter).lower() in _NAMES else str(letter))
    if len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes):
        raise unknown_structure(where, "axes with y and x, each once", version)
    return tuple(axes)


def unknown_structure(where: object, expected: str, version: str) -> FrameError:
    """Return the error about metadata that cannot be read."""
    return FrameError(
        complaint(
            "OME-Zarr image has an unknown structure",
            where=where,
            expected=f"{expected} (NGFF 0.4 or 0.5)",
            got=f"version {version}",
            do="export it as OME-Zarr 0.4 or 0.5",
        )
    )


def read_scale(
    multiscale: Mapping[str, Any], dataset: Mapping[str, Any], axes: int
) -> tuple[float, ...] | None:
    """Return the step size along each axis: that of the level times that of all levels."""
    found = None
    for place in (dataset, multiscale):
        for each in objects(place.get("coordinateTransformations")):
            steps = each.get("scale")
            if each.get("type") != "scale" or not isinstance(steps, list) or len(steps) != axes:
                continue
            if all(isinstance(step, int | float) for step in steps):
                before: Sequence[float] = found or (1.0,) * axes
                found = tuple(a * float(b) for a, b in zip(before, steps, strict=True))
    return found


def read_units(multiscale: Mapping[str, Any], axes: int) -> list[str]:
    """Return the unit of each axis; '' where none is given."""
    declared = multiscale.get("axes")
    if not isinstance(declared, list):
        return [""] * axes
    units = [entry.get("unit") if isinstance(entry, dict) else None for entry in declared]
    return [unit if isinstance(unit, str) else "" for unit in units]


def read_interval_s(
    axes: tuple[str, ...], scale: tuple[float, ...] | None, units: list[str]
) -> float | None:
    """Return the interval of the time axis; None for a step of 1, which is a placeholder.

    Writers put 1 where they do not know it, ome-writers also with the unit `second`.
    """
    if scale is None or "t" not in axes:
        return None
    at = axes.index("t")
    unit_s = _UNIT_S.get(units[at].strip().lower())
    if unit_s is None or scale[at] == 1 or not 0 < scale[at] * unit_s < LONGEST_S:
        return None
    return scale[at] * unit_s
