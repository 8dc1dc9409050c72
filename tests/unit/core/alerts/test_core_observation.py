"""Subjects and observations of alert rules refuse what cannot be."""

from datetime import datetime

import pytest

from scopewatch.core.alerts.observation import Observation, Subject
from tests.unit.core.alert_samples import START


def test_a_subject_is_named_from_the_whole_to_the_part() -> None:
    assert str(Subject(run="run7", plate="P1", well="B3")) == "run7 / P1 / B3"
    assert str(Subject(run="run7")) == "run7"
    with pytest.raises(ValueError, match="a well lies on a plate"):
        Subject(run="run7", well="B3")


def test_an_observation_needs_a_zone_and_a_finite_score() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        Observation(at=datetime(2026, 3, 1), score=0.1)
    with pytest.raises(ValueError, match="score is not finite"):
        Observation(at=START, score=float("inf"))
