"""Alert states, evidence and the memory of rules as JSON, for the store and the study."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from scopewatch.core.alerts.changes import MADE_BY, Course, Departure
from scopewatch.core.alerts.observation import Evidence
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.alerts.wells import Past

# Names of fields, and the keys under which databases hold them.
_STORED_STATE: Final = {"notified": "said", "notified_at": "said_at"}
_STORED_OBSERVATION: Final = {"score": "badness"}
_STATE: Final = TypeAdapter(AlertState)
_EVIDENCE: Final = TypeAdapter(Evidence)


def pack_state(state: AlertState) -> dict[str, Any]:
    """Return a state as JSON holds it."""
    packed: dict[str, Any] = _STATE.dump_python(state, mode="json", exclude_defaults=True)
    if "last" in packed:
        packed["last"] = _renamed(packed["last"], _STORED_OBSERVATION)
    return _renamed(packed, _STORED_STATE)


def unpack_state(packed: dict[str, Any]) -> AlertState:
    """Return the state that `pack_state` packed; `{}` is a rule that has seen nothing yet."""
    known = _renamed(packed, {stored: name for name, stored in _STORED_STATE.items()})
    if known.get("last") is not None:
        known["last"] = _renamed(
            known["last"], {stored: name for name, stored in _STORED_OBSERVATION.items()}
        )
    return _STATE.validate_python(known)


def _renamed(values: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}


def pack_evidence(evidence: Evidence) -> dict[str, Any]:
    """Return evidence as JSON holds it; default values are left out."""
    packed: dict[str, Any] = _EVIDENCE.dump_python(evidence, mode="json", exclude_defaults=True)
    return packed


def unpack_evidence(packed: dict[str, Any], *, course: bool = True) -> Evidence:
    """Return the evidence that `pack_evidence` packed.

    Parameters
    ----------
    course
        Whether it holds all points of a course, and not the newest alone.
    """
    if not course and "points" in packed:
        packed = packed | {"points": packed["points"][-1:]}
    return _EVIDENCE.validate_python(packed)


def pack_past(kind: RuleKind, past: Past) -> dict[str, Any]:
    """Return the memory of a rule of a kind as JSON holds it."""
    if kind is not RuleKind.SUDDEN_CHANGE:
        return {"in_a_row": past.in_a_row}
    course = past.course
    return {
        "made_by": MADE_BY,
        "recent": {measure: list(values) for measure, values in course.recent.items()},
        "departures": {
            sign: [[each.middle, each.scale, each.height, each.before] for each in departures]
            for sign, departures in course.departures.items()
        },
    }


def unpack_past(kind: RuleKind, packed: dict[str, Any]) -> Past | None:
    """Return what `pack_past` packed; None where it has to be rebuilt."""
    if kind is not RuleKind.SUDDEN_CHANGE:
        return Past(in_a_row=packed["in_a_row"])
    if packed["made_by"] != MADE_BY:
        return None
    return Past(
        course=Course(
            recent={measure: tuple(values) for measure, values in packed["recent"].items()},
            departures={
                sign: tuple(Departure(*figures) for figures in departures)
                for sign, departures in packed["departures"].items()
            },
        )
    )
