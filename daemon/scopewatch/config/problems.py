"""Turns pydantic's errors about `config.yaml` into lines that say what to write instead."""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scopewatch.config.models import Config
from scopewatch.core.errors import complaint

_MOST_PROBLEMS = 100
_PAGE = "see docs/operating.md"
_UNITS = {
    "_h": "hours",
    "_s": "seconds",
    "_ms": "milliseconds",
    "_min": "minutes",
    "_um": "micrometres",
    "_px": "pixels",
    "_mb": "megabytes",
    "_gb": "gigabytes",
    "_days": "days",
    "_day": "days",
}
# Keys that people write for another one, and that a similar spelling would not find.
_MEANT = {
    "interval_hours": "interval_h",
    "interval_minutes": "interval_h",
    "interval": "interval_h",
    "hours": "interval_h",
    "folder": "path",
    "directory": "path",
    "regex": "pattern",
    "pixel_size": "um_per_px",
    "pixel_size_um": "um_per_px",
    "timezone": "clock_zone",
    "threshold": "target",
}
# Units that people write after a number, converted: seconds, micrometres, megabytes.
_SIZES: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), ("time", 0.001)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("time", 1.0)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), ("time", 60.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("time", 3600.0)),
    **dict.fromkeys(("d", "day", "days"), ("time", 86400.0)),
    **dict.fromkeys(("nm",), ("length", 0.001)),
    **dict.fromkeys(("um", "µm", "μm", "micrometres", "microns"), ("length", 1.0)),
    **dict.fromkeys(("mm",), ("length", 1000.0)),
    **dict.fromkeys(("mb", "megabytes"), ("size", 1.0)),
    **dict.fromkeys(("gb", "gigabytes"), ("size", 1000.0)),
}
_NUMBER = re.compile(r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>[A-Za-zµμ]*)")
_PERCENT = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:%|percent|per cent)\s*", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXAMPLE_TIME = "2026-11-20T09:00:00+01:00"
# Addresses of channels and of the heartbeat hold passwords and tokens: they are not shown.
_SECRETS = frozenset({"url", "token"})

Place = tuple[int | str, ...]


def list_problems(path: Path, error: ValidationError) -> list[str]:
    """Return one line for each problem, with its place in the file and what to do."""
    problems = _causes(error.errors(include_url=False))
    lines = [_line(path, problem) for problem in problems[:_MOST_PROBLEMS]]
    more = len(problems) - len(lines)
    return [*lines, f"and {more} problems more"] if more > 0 else lines


def _line(path: Path, problem: ErrorDetails) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "the file"
    value: Any = problem["input"]
    shown = value if isinstance(value, str | int | float | bool) else None
    what, do = _describe(problem)
    if problem["loc"][-1:] and problem["loc"][-1] in _SECRETS:
        shown = None
    if problem["type"] == "extra_forbidden":
        shown = None  # a misspelt `url` would show a password
    return complaint(what, where=f"{path}: {place}", got=shown, do=do)


def _describe(problem: ErrorDetails) -> tuple[str, str]:
    """Return the problem and what to do."""
    kind, key = problem["type"], str(problem["loc"][-1]) if problem["loc"] else ""
    value: Any = problem["input"]
    if kind == "extra_forbidden":
        return "unknown key", _suggest(key, problem["loc"])
    if kind == "timezone_aware":
        return f"{key} needs a zone", f"write {_with_zone(value)}"
    if kind in ("datetime_parsing", "datetime_from_date_parsing", "datetime_type"):
        return f"{key} is no time that can be read", f"write it like {_EXAMPLE_TIME}"
    lines = _describe_number(problem, key)
    return lines or (problem["msg"].removeprefix("Value error, "), _PAGE)


def _describe_number(problem: ErrorDetails, key: str) -> tuple[str, str] | None:
    """Return the problem of a number and what to write; None where no number is expected."""
    kind, context = problem["type"], problem.get("ctx") or {}
    value: Any = problem["input"]
    is_share = 1 in (context.get("le"), context.get("lt"))
    is_number = kind in ("float_parsing", "float_type", "int_parsing", "int_type")
    percent = _percent(value) if is_share or is_number else None
    if percent is not None and (is_share or isinstance(value, str)):
        return f"{key} is a share from 0 to 1", f"for {percent:g} % write {percent / 100:g}"
    if not is_number:
        return None
    unit = next((unit for suffix, unit in _UNITS.items() if key.endswith(suffix)), "")
    whole = "whole number" if kind.startswith("int") else "number"
    return f"{key} is a {whole}{f' of {unit}' if unit else ''}", f"write {_number_in(value, unit)}"


def _percent(value: object) -> float | None:
    """Return the value that was probably meant in percent; 50 where it is no such number."""
    if isinstance(value, str):
        match = _PERCENT.fullmatch(value)
        return None if match is None else float(match[1].replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 1 < value <= 100 else 50.0


def _number_in(value: object, unit: str) -> str:
    """Return the number in a text, in the unit of the setting."""
    match = _NUMBER.search(str(value)) if isinstance(value, str) else None
    if match is None:
        return "12, for example"
    number = float(match["number"].replace(",", "."))
    written, wanted = _SIZES.get(match["unit"].lower()), _SIZES.get(unit)
    if written is not None and wanted is not None and written[0] == wanted[0]:
        number *= written[1] / wanted[1]
    return f"{number:.6g}"


def _with_zone(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if _DATE.fullmatch(text):
        return f"{text}T09:00:00+01:00, with your own hour and zone"
    return f"{text.replace(' ', 'T')}+01:00, with your own zone"


def _causes(problems: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the problems without their consequences.

    An invalid entry is not counted in its list, which may then be reported as too short.
    """
    places = [problem["loc"] for problem in problems]
    return [
        problem
        for problem in problems
        if problem["type"] != "too_short" or not _holds_another(problem["loc"], places)
    ]


def _holds_another(place: Place, others: Sequence[Place]) -> bool:
    return any(len(other) > len(place) and other[: len(place)] == place for other in others)


def _suggest(key: str, place: Place) -> str:
    """Return advice: the key of that section that was probably meant."""
    own = _keys_at(place[:-1])
    meant = _MEANT.get(key)
    if meant in own:
        return f"did you mean {meant}?"
    near = difflib.get_close_matches(key, sorted(own), n=1)
    if near:
        return f"did you mean {near[0]}?"
    sections = _sections_with(key)
    if sections:
        return f"it belongs to {' or '.join(sections)}, {_PAGE}"
    return f"remove it, or {_PAGE}"


def _keys_at(place: Place) -> frozenset[str]:
    """Return the keys that the section at a place may have."""
    schema = Config.model_json_schema()
    sections: list[Mapping[str, Any]] = [schema]
    for part in place:
        inner: list[Mapping[str, Any]] = []
        for section in sections:
            for each in _resolved(section, schema):
                inner += _step(each, part)
        # A part that is no key selects one of several kinds, and stays in the same section.
        sections = inner or sections
    keys = [
        each.get("properties", {}) for section in sections for each in _resolved(section, schema)
    ]
    return frozenset(key for found in keys for key in found)


def _step(section: Mapping[str, Any], part: int | str) -> list[Mapping[str, Any]]:
    if isinstance(part, int):
        return [section["items"]] if "items" in section else []
    if part in section.get("properties", {}):
        return [section["properties"][part]]
    kind = section.get("properties", {}).get("kind", {})
    return [section] if part in {kind.get("const"), *kind.get("enum", ())} else []


def _resolved(section: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Follow references and alternatives to the sections that they refer to."""
    if "$ref" in section:
        return _resolved(schema["$defs"][section["$ref"].rpartition("/")[2]], schema)
    several = [*section.get("anyOf", ()), *section.get("oneOf", ()), *section.get("allOf", ())]
    if several:
        return [found for each in several for found in _resolved(each, schema)]
    return [section]


@cache
def _sections() -> Mapping[str, frozenset[str]]:
    """Return the keys of each section of the file by its name, and of each kind of source."""
    schema = Config.model_json_schema()
    found = {"the top of the file": frozenset(schema["properties"])}
    for name, section in schema["properties"].items():
        for resolved in _resolved(section, schema):
            found[name] = found.get(name, frozenset()) | frozenset(resolved.get("properties", {}))
            for item in _resolved(resolved.get("items", {}), schema):
                keys = item.get("properties", {})
                kind = keys.get("kind", {}).get("const")
                place = name if kind is None else f"{name} of kind {kind}"
                found[place] = found.get(place, frozenset()) | frozenset(keys)
    return found


def _sections_with(key: str) -> list[str]:
    return [name for name, keys in _sections().items() if key in keys]
