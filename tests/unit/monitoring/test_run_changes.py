"""The effects of a changed configuration on a run are reported beforehand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.run_changes import RunResults, explain_name, explain_settings

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
POLICY = RunPolicy(
    run="run 7", interval_h=12, final_day=10, sites_per_well=2, phase_channel="phase"
)
RESULTS = RunResults(
    name="run 8",
    day=6.0,
    last_at=NOW - timedelta(hours=1),
    started_at=None,
    day_0_at=START,
    channel="phase",
    interval_h=11.9,
    sites=2,
    final_day=10,
)


def settings(policy: RunPolicy = POLICY, started_at: datetime | None = None) -> list[str]:
    return list(explain_settings(policy, started_at, RESULTS))


def name(asked: str, **changes: object) -> list[str]:
    last = replace(RESULTS, **changes)  # type: ignore[arg-type]  # any field of it
    return list(explain_name(asked, POLICY, last, NOW))


def test_unchanged_settings_are_not_reported() -> None:
    assert settings() == []
    assert name("run 8") == []


def test_another_name_in_the_middle_of_a_run_is_explained() -> None:
    (line,) = name("run 9")
    assert line.startswith(
        "another run goes on: experiment.name (expected 'run 8', on day 6.0 of 10, got 'run 9'); "
    )
    assert "begin a new run at day 0" in line


def test_another_name_after_the_end_or_long_after_the_last_frame_is_no_surprise() -> None:
    assert name("run 9", day=9.8) == []
    assert name("run 9", last_at=NOW - timedelta(days=3, hours=1)) == []
    assert name("run 9", day=None) == []


@pytest.mark.parametrize(
    ("policy", "what", "follows"),
    [
        (
            replace(POLICY, phase_channel="PH"),
            "the run so far is of another channel: experiment.phase_channel"
            " (expected 'phase', got 'PH'); ",
            "frames of 'phase' will be skipped, and those of 'PH' that were skipped will be",
        ),
        (
            replace(POLICY, interval_h=6),
            "time points of this run came at another distance: experiment.interval_h"
            " (expected about 12, got 6); ",
            "wells will count as silent after 9 h",
        ),
        (
            replace(POLICY, sites_per_well=1),
            "the wells of this run have another number of sites: experiment.sites_per_well"
            " (expected 2, got 1); ",
            "rules will step after 1 of 2 sites, without the others",
        ),
        (
            replace(POLICY, sites_per_well=3),
            "the wells of this run have another number of sites: experiment.sites_per_well"
            " (expected 2, got 3); ",
            "only when the next one begins",
        ),
        (
            replace(POLICY, final_day=12),
            "forecasts of this run speak of another day: experiment.final_day"
            " (expected 10, got 12); ",
            "will be those of day 12",
        ),
    ],
)
def test_a_setting_that_the_results_were_not_made_with_says_what_follows(
    policy: RunPolicy, what: str, follows: str
) -> None:
    (line,) = settings(policy)
    assert line.startswith(what)
    assert follows in line


@pytest.mark.parametrize("interval_h", [10, 14])
def test_time_points_are_never_quite_punctual(interval_h: float) -> None:
    assert settings(replace(POLICY, interval_h=interval_h)) == []


def test_a_start_that_moves_day_0_says_by_how_much() -> None:
    (line,) = settings(started_at=START - timedelta(days=1.5))
    assert "day 0 of this run moves" in line
    assert "+1.50" in line
    assert settings(started_at=START) == [], "it is the same time"


def test_results_that_show_nothing_contradict_nothing() -> None:
    assert list(explain_settings(POLICY, START, RunResults(name="run 8"))) == []
