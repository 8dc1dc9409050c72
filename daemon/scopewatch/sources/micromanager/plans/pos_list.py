"""Reads position lists of Micro-Manager (`.pos`): those of version 2, and of 1.4.

Micro-Manager 2 saves a property map: each value has its type as key, `{"type": "STRING",
"scalar": "A1"}`. 1.4 saves plain JSON with keys in capitals. What both hold is in
`org.micromanager.PositionList`, `MultiStagePosition` and `StagePosition`:
https://github.com/micro-manager/micro-manager, mmstudio. Micro-Manager moves every stage of a
position; here the XY stage and the focus drive are moved, and a list with others is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scopewatch.config import PositionConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.micromanager.plans.imported import Imported

FORMAT: Final = "Micro-Manager Property Map"
OLD_FORMAT: Final = "Micro-Manager XY-position list"
_MAJOR: Final = 2
_OLD_VERSIONS: Final = (2, 3)
_MOST_POSITIONS: Final = 100_000
# A property of version 1.4: the position is focused by software before it is imaged.
_AUTOFOCUS: Final = "AUTOFOCUS"
_NO_AUTOFOCUS: Final = ("", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A position of a list: where its stages stand, one number for each axis."""

    label: str
    xy_stage: str
    z_stage: str
    stages: Mapping[str, tuple[float, ...]]
    properties: Mapping[str, Any]


class _NoListError(Exception):
    """The file is no position list; the text says why."""


def is_pos_list(raw: object) -> bool:
    """Tell whether JSON is a position list of Micro-Manager."""
    return isinstance(raw, dict) and (raw.get("format") == FORMAT or raw.get("ID") == OLD_FORMAT)


def read_pos_list(raw: Mapping[str, Any], where: object) -> Imported:
    """Return the positions of a list.

    Raises
    ------
    ConfigError
        When it cannot be read, or holds what is not done here.
    """
    try:
        old = raw.get("ID") == OLD_FORMAT
        entries = list(_old_entries(raw) if old else _entries(raw))
    except _NoListError as error:
        raise ConfigError(
            complaint(
                "position list cannot be read",
                where=where,
                got=error,
                do="save it again in Micro-Manager: Stage Position List, Save As",
            )
        ) from error
    if not entries or len(entries) > _MOST_POSITIONS:
        raise ConfigError(
            complaint(
                "position list holds no position" if not entries else "position list is too long",
                where=where,
                expected=f"1 to {_MOST_POSITIONS} positions",
                got=len(entries),
                do="save the list again in Micro-Manager",
            )
        )
    positions = tuple(_position(entry, where) for entry in entries)
    xy_stages = dict.fromkeys(_stages(entry)[0] for entry in entries)
    z_stages = dict.fromkeys(_stages(entry)[1] for entry in entries)
    _check_one("XY stage", list(xy_stages), where)
    _check_one("focus drive", [name for name in z_stages if name], where)
    return Imported(
        summary=f"position list of Micro-Manager {'1.4' if old else '2'}",
        positions=positions,
        xy_stage=next(iter(xy_stages)),
        z_stage=next((name for name in z_stages if name), ""),
    )


def _position(entry: _Entry, where: object) -> PositionConfig:
    focus = str(entry.properties.get(_AUTOFOCUS, ""))
    if focus.lower() not in _NO_AUTOFOCUS:
        raise _not_done(entry, where, f"autofocus {focus!r} at the position")
    xy_stage, z_stage = _stages(entry)
    others = [name for name in entry.stages if name not in (xy_stage, z_stage)]
    if xy_stage not in entry.stages:
        raise _not_done(entry, where, "no place of an XY stage")
    if others:
        raise _not_done(entry, where, f"places of further stages, {', '.join(others)}")
    x_um, y_um = entry.stages[xy_stage]
    return PositionConfig(
        label=entry.label,
        x_um=x_um,
        y_um=y_um,
        z_um=entry.stages[z_stage][0] if z_stage else None,
    )


def _stages(entry: _Entry) -> tuple[str, str]:
    """Return the XY stage and the focus drive of a position; '' where it has none.

    Micro-Manager may leave the XY stage unnamed; the only one with two axes is meant then. A drive
    that is not named as the focus drive may be anything: an offset of a focus lock, say.
    """
    planar = [name for name, at in entry.stages.items() if len(at) == 2]
    named = entry.xy_stage in planar
    xy_stage = entry.xy_stage if named else planar[0] if len(planar) == 1 else ""
    z_stage = entry.z_stage if len(entry.stages.get(entry.z_stage, ())) == 1 else ""
    return xy_stage, z_stage


def _check_one(what: str, names: Sequence[str], where: object) -> None:
    if len(names) > 1:
        raise ConfigError(
            complaint(
                f"positions of one list speak of more than one {what}",
                where=where,
                got=", ".join(names),
                do="make a list for each, or mark the positions again with one",
            )
        )


def _not_done(entry: _Entry, where: object, what: str) -> ConfigError:
    return ConfigError(
        complaint(
            "position of the list asks for what is not done here",
            where=f"{where}: {entry.label}",
            expected="a place of one XY stage, and of the focus drive or none",
            got=what,
            do="tick only these in Micro-Manager's Stage Position List, and save it again",
        )
    )


def _entries(raw: Mapping[str, Any]) -> Iterator[_Entry]:
    """Yield the positions of a property map of Micro-Manager 2."""
    if raw.get("major_version") != _MAJOR:
        raise _NoListError(f"property map of version {raw.get('major_version')}")
    content = raw.get("map")
    for each in _maps(content, "StagePositions"):
        stages = {
            _text(device, "Device"): _numbers(_array(device, "Position_um"))
            for device in _maps(each, "DevicePositions")
        }
        properties = each.get("Properties")
        kept = properties.get("scalar") if isinstance(properties, dict) else None
        yield _Entry(
            label=_text(each, "Label"),
            xy_stage=_text(each, "DefaultXYStage", ""),
            z_stage=_text(each, "DefaultZStage", ""),
            stages=stages,
            properties={
                name: value.get("scalar")
                for name, value in (kept if isinstance(kept, dict) else {}).items()
                if isinstance(value, dict)
            },
        )


def _maps(content: object, key: str) -> list[dict[str, Any]]:
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, dict) or found.get("type") != "PROPERTY_MAP":
        raise _NoListError(f"no {key}")
    # A list of none is saved without its array.
    listed = found.get("array", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _NoListError(f"{key} is no list")
    return listed


def _array(content: Mapping[str, Any], key: str) -> list[Any]:
    found = content.get(key)
    listed = found.get("array") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise _NoListError(f"no {key}")
    return listed


def _text(content: Mapping[str, Any], key: str, default: str | None = None) -> str:
    found = content.get(key)
    text = found.get("scalar") if isinstance(found, dict) else default
    if not isinstance(text, str):
        raise _NoListError(f"no {key}")
    return text


def _old_entries(raw: Mapping[str, Any]) -> Iterator[_Entry]:
    """Yield the positions of a list of Micro-Manager 1.4."""
    if raw.get("VERSION") not in _OLD_VERSIONS:
        raise _NoListError(f"version {raw.get('VERSION')}")
    listed = raw.get("POSITIONS")
    if not isinstance(listed, list):
        raise _NoListError("no POSITIONS")
    for each in listed:
        devices = each.get("DEVICES") if isinstance(each, dict) else None
        if not isinstance(devices, list) or not isinstance(each.get("LABEL"), str):
            raise _NoListError("a position without LABEL and DEVICES")
        stages: dict[str, tuple[float, ...]] = {}
        for device in devices:
            axes = device.get("AXES") if isinstance(device, dict) else None
            if axes not in (1, 2) or not isinstance(device.get("DEVICE"), str):
                raise _NoListError(f"a stage of {axes} axes")
            # X holds the place on a single axis.
            stages[device["DEVICE"]] = _numbers([device.get(key) for key in "XY"[:axes]])
        properties = each.get("PROPERTIES")
        yield _Entry(
            label=each["LABEL"],
            xy_stage=str(each.get("DEFAULT_XY_STAGE", "")),
            z_stage=str(each.get("DEFAULT_Z_STAGE", "")),
            stages=stages,
            properties=properties if isinstance(properties, dict) else {},
        )


def _numbers(values: Sequence[object]) -> tuple[float, ...]:
    numbers = tuple(
        float(each)
        for each in values
        if isinstance(each, int | float) and not isinstance(each, bool) and abs(each) < 1e9
    )
    if len(numbers) != len(values) or len(numbers) not in (1, 2):
        raise _NoListError(f"a place of {list(values)}")
    return numbers
