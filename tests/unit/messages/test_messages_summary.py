"""Alerts in one line."""

import pytest

from scopewatch.core.alerts.observation import Cause, Evidence, Reading
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.messages.summary import name_some, summarise

NOW = Reading(value=0.31, low=0.25, high=0.37)

SUMMARIES = [
    (
        RuleKind.WEAK_FORECAST,
        Evidence(forecast=NOW, final_day=10, probability=0.96, target=0.5),
        "31% (25% to 37%) expected on day 10, below 50% with probability 96%",
    ),
    (RuleKind.WEAK_FORECAST, Evidence(cannot_forecast="too early"), "too early"),
    (
        RuleKind.WEAK_NOW,
        Evidence(now=NOW, target=0.5, points=(WellPoint(day=8, efficiency=0.28, half_width=0.1),)),
        "reads 28%, target 50%",
    ),
    (RuleKind.WEAK_NOW, Evidence(now=NOW, target=0.5), "reads 31%, target 50%"),
    (
        RuleKind.PLATE_COLLAPSE,
        Evidence(wells=("A1", "B2"), out_of=3),
        "2 of 3 wells fail: A1, B2",
    ),
    (
        RuleKind.OUTLIER_WELL,
        Evidence(now=NOW, measures={"median": 0.62}),
        "reads 31%, its replicates 62%",
    ),
    (
        RuleKind.SUDDEN_CHANGE,
        Evidence(cause=Cause.DETACHMENT, measures={"coverage_before": 0.9, "coverage_after": 0.41}),
        "detachment-like: coverage 0.9 to 0.41",
    ),
    (RuleKind.SUDDEN_CHANGE, Evidence(), "change gone back"),
    (
        RuleKind.UNFIT_FRAMES,
        Evidence(measures={"in_a_row": 2.0}, detail="blank"),
        "no frame could be judged for 2 time points (blank)",
    ),
    (RuleKind.UNFIT_FRAMES, Evidence(measures={"in_a_row": 0.0}), "its frames can be judged"),
    (RuleKind.NO_FRAMES, Evidence(measures={"silent_h": 25.04}), "no frame for 25.0 h"),
    (
        RuleKind.SOURCE_DEAD,
        Evidence(measures={"dead_h": 1.5}, detail="scope, since 2026-03-01 09:00 UTC: no camera"),
        "nothing for 90 min from scope, since 2026-03-01 09:00 UTC: no camera",
    ),
    (RuleKind.SOURCE_DEAD, Evidence(), "all sources watch"),
    (
        RuleKind.ENDED_EARLY,
        Evidence(measures={"last_day": 6.5}, final_day=10),
        "last frame on day 6.5 of 10",
    ),
    (RuleKind.DISK_LOW, Evidence(measures={"free_gb": 3.21}), "3.2 GB free"),
    (RuleKind.RESTARTED, Evidence(measures={"down_h": 1.2}), "was away for 1.2 h"),
    (RuleKind.MODEL_REFUSED, Evidence(detail="hash differs"), "hash differs"),
    (RuleKind.MODEL_REFUSED, Evidence(), "in order"),
    (RuleKind.RELOAD_REFUSED, Evidence(detail="unknown key"), "unknown key"),
]


@pytest.mark.parametrize(("kind", "evidence", "sentence"), SUMMARIES)
def test_each_kind_says_its_figures(kind: RuleKind, evidence: Evidence, sentence: str) -> None:
    assert summarise(kind, evidence) == sentence


def test_every_kind_has_words() -> None:
    assert {kind for kind, *_ in SUMMARIES} == set(RuleKind)
    for kind in RuleKind:
        assert summarise(kind, Evidence())


def test_a_long_list_of_wells_is_cut() -> None:
    names = tuple(f"A{column}" for column in range(1, 25))
    assert name_some(names).endswith("A11, A12 and 12 more")
