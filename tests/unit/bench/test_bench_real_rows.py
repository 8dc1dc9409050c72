"""Rows of one frame that was scored twice are alike, and nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.history.real_rows import alike

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
SLACK = timedelta(minutes=45)


@pytest.mark.parametrize(
    ("column", "expected", "found"),
    [
        ("claimed_at", AT, AT + SLACK),
        ("score_ms", 1.5, 40.0),
        ("fingerprint", "33024:17", "33024:18"),
        ("judged_under", "a/b/c", "d/e/c"),
        ("probability", b"\x01", b"\x01"),
        ("reason", None, None),
    ],
)
def test_values_of_one_frame_are_alike(column: str, expected: Any, found: Any) -> None:
    assert alike(column, expected, found, SLACK)


@pytest.mark.parametrize(
    ("column", "expected", "found"),
    [
        ("claimed_at", AT, AT + SLACK + timedelta(seconds=1)),
        ("claimed_at", AT, None),
        ("score_ms", 1.5, None),
        ("score_ms", 1.5, -1.0),
        ("fingerprint", "33024:17", "33025:17"),
        ("fingerprint", "33024:17", None),
        ("judged_under", "a/b/c", "a/b/d"),
        ("judged_under", "a/b/c", ""),
        ("efficiency", 0.5, 0.5001),
        ("reason", None, "blank"),
    ],
)
def test_another_value_differs(column: str, expected: Any, found: Any) -> None:
    assert not alike(column, expected, found, SLACK)
