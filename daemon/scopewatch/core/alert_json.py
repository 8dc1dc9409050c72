"""Alert states, evidence and observations as JSON, for the store and the study."""

from typing import Any, Final

from pydantic import TypeAdapter

from scopewatch.core.alert import AlertState, Evidence

_STATE: Final = TypeAdapter(AlertState)
_EVIDENCE: Final = TypeAdapter(Evidence)


def pack_state(state: AlertState) -> dict[str, Any]:
    """Return a state as JSON holds it."""
    packed: dict[str, Any] = _STATE.dump_python(state, mode="json", exclude_defaults=True)
    return packed


def unpack_state(packed: dict[str, Any]) -> AlertState:
    """Return the state that `pack_state` packed; `{}` is a rule that has seen nothing yet."""
    return _STATE.validate_python(packed)


def pack_evidence(evidence: Evidence) -> dict[str, Any]:
    """Return evidence as JSON holds it; what says nothing is left out."""
    packed: dict[str, Any] = _EVIDENCE.dump_python(evidence, mode="json", exclude_defaults=True)
    return packed


def unpack_evidence(packed: dict[str, Any]) -> Evidence:
    """Return the evidence that `pack_evidence` packed."""
    return _EVIDENCE.validate_python(packed)
