"""States of alerts in JSON keep the keys that databases of every version hold."""

from datetime import UTC, datetime
from typing import Any

from scopewatch.core.alerts.observation import Observation
from scopewatch.core.alerts.rules import Severity
from scopewatch.core.alerts.serialisation import pack_state, unpack_state
from scopewatch.core.alerts.state_machine import AlertState

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
STATE = AlertState(
    raised=True,
    severity=Severity.WARNING,
    notified=Severity.WARNING,
    notified_at=AT,
    last=Observation(at=AT, day=6.5, score=0.2),
    at=AT,
)
# As version 0.1.0 wrote it.
STORED: dict[str, Any] = {
    "raised": True,
    "severity": "warning",
    "said": "warning",
    "said_at": "2026-03-01T09:00:00Z",
    "last": {"at": "2026-03-01T09:00:00Z", "day": 6.5, "badness": 0.2},
    "at": "2026-03-01T09:00:00Z",
}


def test_a_state_of_an_earlier_version_is_read() -> None:
    assert unpack_state(STORED) == STATE


def test_a_state_is_written_under_the_same_keys() -> None:
    packed = pack_state(STATE)
    assert packed.keys() == STORED.keys()
    assert packed["last"].keys() == STORED["last"].keys()
    assert unpack_state(packed) == STATE


def test_a_rule_that_has_seen_nothing_is_empty() -> None:
    assert unpack_state({}) == AlertState()
    assert pack_state(AlertState()) == {}
