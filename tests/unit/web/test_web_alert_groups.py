"""Alerts by what they are about, and why one is not critical."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scopewatch.core.alerts.observation import Evidence, Reading, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.phrases import Language
from scopewatch.messages.alert_texts import WORDING
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.web.alert_groups import alike, group_alerts, not_critical_since
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS, NOW, alert_row, well_row

RULE = AlertRule(
    name="will end weak",
    kind=RuleKind.WEAK_FORECAST,
    limit=0.85,
    critical_limit=0.95,
    consecutive=2,
)


def foretold(alert: int, well: str, probability: float, **changes: object) -> AlertRow:
    evidence = Evidence(
        forecast=Reading(value=0.14, low=0.05, high=0.25),
        final_day=10,
        probability=probability,
        target=0.5,
    )
    row = alert_row(alert, well, rule=RULE.name, kind=RULE.kind, evidence=evidence)
    return replace(row, **changes)  # type: ignore[arg-type]  # any field of the row


def test_groups_stand_by_gravity_and_the_surer_first() -> None:
    rows = [
        foretold(1, "A1", 0.86),
        foretold(2, "A2", 0.94),
        foretold(3, "A3", 0.9, severity=Severity.CRITICAL, acknowledged_at=NOW),
        foretold(4, "A4", 0.97, severity=Severity.CRITICAL),
        alert_row(5, "A1"),
    ]
    groups = group_alerts(rows, [RULE], NOW)
    assert [group.subject.well for group in groups] == ["A4", "A2", "A1", "A3"]
    assert [each.row.alert for each in groups[2].alerts] == [1, 5]
    assert groups[3].answered


def test_wells_of_which_the_same_is_shown_stand_together() -> None:
    unfit = {"kind": RuleKind.UNFIT_FRAMES, "evidence": Evidence(measures={"in_a_row": 2.0})}
    rows = [
        alert_row(1, "A1", **unfit),
        alert_row(2, "A2"),
        alert_row(3, "B1", **unfit),
        alert_row(4, "B2", acknowledged_at=NOW, **unfit),
    ]
    together = alike(group_alerts(rows, [], NOW), Language.ENGLISH)
    assert [[group.subject.well for group in groups] for groups in together] == [
        ["A1", "B1"],
        ["A2"],
        ["B2"],
    ]


def test_what_befalls_the_plate_is_before_single_wells_of_the_same_gravity() -> None:
    plate = alert_row(
        2,
        subject=Subject(run=FACTS.run, plate="P1"),
        kind=RuleKind.PLATE_COLLAPSE,
    )
    groups = group_alerts([alert_row(1), plate], [], NOW)
    assert [group.subject.well for group in groups] == [None, "A2"]
    assert groups[0].well is None


def test_resolved_alerts_are_in_no_group() -> None:
    assert group_alerts([alert_row(resolved_at=NOW)], [], NOW) == []


def test_weak_now_and_weak_in_the_end_share_one_advice() -> None:
    (group,) = group_alerts([foretold(1, "A2", 0.99), alert_row(2, "A2")], [RULE], NOW)
    assert group.advice == (WORDING[RuleKind.WEAK_FORECAST].do,)
    other = alert_row(3, "A2", kind=RuleKind.UNFIT_FRAMES)
    (group,) = group_alerts([alert_row(2, "A2"), other], [], NOW)
    assert set(group.advice) == {
        WORDING[RuleKind.WEAK_NOW].do,
        WORDING[RuleKind.UNFIT_FRAMES].do,
    }


@pytest.mark.parametrize(
    ("row", "rule", "expected"),
    [
        (
            foretold(1, "A1", 0.99, critical_streak=1),
            RULE,
            "Not critical yet: 1 of 2 time points in a row lie above its limit of 95%.",
        ),
        (
            foretold(1, "A1", 0.99, critical_streak=2),
            RULE,
            "Critical by now; it is held back while an alert of the plate speaks for it.",
        ),
        (
            foretold(1, "A1", 0.99),
            replace(RULE, critical_limit=None),
            "Not critical: the rule has no p_critical.",
        ),
        (foretold(1, "A1", 0.9), replace(RULE, critical_limit=None), None),
        (foretold(1, "A1", 0.94), RULE, None),
        (foretold(1, "A1", 0.99, severity=Severity.CRITICAL), RULE, None),
        (foretold(1, "A1", 0.99), None, None),
        (alert_row(1), replace(RULE, kind=RuleKind.WEAK_NOW), None),
    ],
)
def test_a_sure_alert_that_is_not_critical_says_why(
    row: AlertRow, rule: AlertRule | None, expected: str | None
) -> None:
    remark = not_critical_since(row, rule)
    assert (None if remark is None else str(remark)) == expected


def test_what_the_rule_saw_last_counts_not_what_the_alert_was_raised_on() -> None:
    row = foretold(1, "A1", 0.86, critical_streak=1)
    assert not_critical_since(row, RULE) is None
    newest = replace(row.evidence, probability=0.98)
    assert not_critical_since(replace(row, newest=newest), RULE) is not None


def test_an_alert_whose_newest_time_point_disagrees_says_so_and_what_it_was_raised_on() -> None:
    rule = AlertRule(name="unfit", kind=RuleKind.UNFIT_FRAMES, consecutive=2)
    raised = Evidence(measures={"in_a_row": 2.0}, detail="blank")
    newest = Evidence(measures={"in_a_row": 0.0})
    row = alert_row(1, rule="unfit", kind=rule.kind, evidence=raised, newest=newest)
    ((good,),) = (
        group.alerts for group in group_alerts([replace(row, newest_score=0.0)], [rule], NOW)
    )
    assert good.evidence is raised
    assert str(good.remark).endswith("The alert resolves once 2 in a row agree.")
    ((bad,),) = (
        group.alerts for group in group_alerts([replace(row, newest_score=1.0)], [rule], NOW)
    )
    assert bad.evidence is newest
    assert bad.remark is None


def test_the_plate_the_wells_page_and_the_list_say_why_and_what_to_do(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2", 0.2)]
    dashboard.reader.raised = [foretold(1, "A2", 0.99, critical_streak=1)]
    dashboard.build(replace(FACTS, standard=replace(FACTS.standard, rules=(RULE,))))
    for page in ("/", "/alerts", "/wells/HES-NKX2.5%20run%204/P1/A2"):
        text = " ".join(dashboard.get(page).text.split())
        assert "below 50% with probability 99%" in text
        assert "go on, change medium or protocol, or start a new well." in text
        if page != "/":
            assert "Not critical yet: 1 of 2 time points" in text


def test_an_answered_well_no_longer_is_first(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2")]
    dashboard.reader.raised = [
        alert_row(1, "A1", snoozed_until=NOW + timedelta(hours=1)),
        alert_row(2, "A2"),
    ]
    text = dashboard.get("/alerts").text
    assert text.index('id="alert-2"') < text.index('id="alert-1"')
