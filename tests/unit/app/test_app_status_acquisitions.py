"""The line of a time-lapse in `scopewatch status`."""

import pytest

from scopewatch.app.status.asking import parse_acquisition
from scopewatch.app.status.records import AcquisitionStatus

FOCUS = {
    "method": "lock",
    "time_point": 4,
    "drift_um": 12.34,
    "focused": 95,
    "failed": 0,
    "reason": "",
}
ANSWER = {
    "source": "scope",
    "time_points": 20,
    "next_time_point": 5,
    "next_at": "2026-03-07T12:00:00Z",
    "held": "",
    "focus": None,
}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "next time point 5 of 20, at 2026-03-07 12:00 UTC"),
        ({"next_time_point": None, "next_at": None}, "no time point of 20 is left"),
        (
            {"held": "paused by anna, since 2026-03-07 09:00 UTC"},
            "paused by anna, since 2026-03-07 09:00 UTC; next time point 5 of 20,"
            " at 2026-03-07 12:00 UTC",
        ),
        (
            {"focus": FOCUS, "next_at": None},
            "next time point 5 of 20; focus: lock: drift +12.3 um,"
            " 95 positions found at time point 4",
        ),
        (
            {
                "focus": {
                    **FOCUS,
                    "drift_um": None,
                    "focused": 0,
                    "failed": 2,
                    "reason": "dry",
                },
                "next_at": None,
            },
            "next time point 5 of 20; focus: lock: never found,"
            " 0 positions found at time point 4, 2 failed (dry)",
        ),
        (
            {"focus": {**FOCUS, "time_point": None}, "next_at": None},
            "next time point 5 of 20; focus: lock, not looked for yet",
        ),
    ],
)
def test_a_time_lapse_is_shown_in_one_line(changes: dict[str, object], line: str) -> None:
    shown = parse_acquisition({**ANSWER, **changes})
    assert isinstance(shown, AcquisitionStatus)
    assert shown.text == line
