"""Alerts as the pages list them: by what they are about, the gravest first, with what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scopewatch.core.alerts.observation import Evidence, Subject
from scopewatch.core.alerts.plate import WEAK
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.alerts.scope import well_order
from scopewatch.core.phrases import Language, Phrase, mark
from scopewatch.core.well_name import WellName
from scopewatch.messages.alert_texts import WORDING
from scopewatch.messages.summary import summarise
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.web.labels import SURE
from scopewatch.web.plate import answered

_BETTER = mark(
    "The newest time point does not say so any more. The alert resolves once {needed} in a row"
    " agree."
)
_NEVER = mark("Not critical: the rule has no p_critical.")
_NOT_YET = mark(
    "Not critical yet: {seen} of {needed} time points in a row lie above its limit of {limit}."
)
_HELD = mark("Critical by now; it is held back while an alert of the plate speaks for it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An alert as it is listed.

    Parameters
    ----------
    evidence
        The present evidence, or else that of the moment when it was raised.
    answered
        Whether it is acknowledged or snoozed.
    remark
        Why one that looks critical is not, or why it is still open; None where there is nothing to
        explain.
    """

    row: AlertRow
    evidence: Evidence
    answered: bool
    remark: Phrase | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """The open alerts of a well, a plate, or the monitor.

    Parameters
    ----------
    alerts
        Those that nobody has answered first, then by gravity.
    advice
        What to do: message ids, each once.
    """

    subject: Subject
    alerts: tuple[Listed, ...]
    advice: tuple[str, ...]

    @property
    def well(self) -> WellName | None:
        """The well it is about; None where it is about more than one."""
        return self.alerts[0].row.well

    @property
    def answered(self) -> bool:
        """Whether every alert is answered."""
        return all(each.answered for each in self.alerts)

    @property
    def severity(self) -> Severity:
        """The gravest of those that nobody has answered, or of all."""
        return self.alerts[0].row.severity


def group_alerts(
    rows: Sequence[AlertRow], rules: Sequence[AlertRule], now: datetime
) -> list[AlertGroup]:
    """Group the open alerts by subject, the highest severity first."""
    named = {rule.name: rule for rule in rules}
    by_subject: dict[Subject, list[AlertRow]] = {}
    for row in rows:
        if row.resolved_at is None:
            by_subject.setdefault(row.subject, []).append(row)
    groups = []
    for subject, found in by_subject.items():
        found.sort(key=lambda row: _rank(row, now))
        alerts = tuple(_listed(row, named, now) for row in found)
        groups.append(AlertGroup(subject=subject, alerts=alerts, advice=_advice(found)))
    return sorted(groups, key=_group_rank)


def alike(groups: Sequence[AlertGroup], language: Language) -> list[list[AlertGroup]]:
    """Merge the groups with the same text, in the order of their first."""
    alike: dict[tuple[object, ...], list[AlertGroup]] = {}
    for group in groups:
        key = (
            group.answered,
            *(
                (
                    summarise(each.row.kind, each.evidence, language),
                    each.row.severity,
                    str(each.remark),
                )
                for each in group.alerts
            ),
        )
        alike.setdefault(key, []).append(group)
    return list(alike.values())


def not_critical_since(row: AlertRow, rule: AlertRule | None) -> Phrase | None:
    """Return why an alert of an almost certain probability is not critical."""
    chance = (row.newest or row.evidence).probability
    if row.kind is not RuleKind.WEAK_FORECAST or row.severity is Severity.CRITICAL:
        return None
    if rule is None or chance is None:
        return None
    limit = rule.critical_limit
    if limit is None:
        return Phrase(_NEVER) if chance >= SURE else None
    if chance <= limit:
        return None
    if row.critical_streak >= rule.consecutive:
        return Phrase(_HELD)
    values = {
        "seen": row.critical_streak,
        "needed": rule.consecutive,
        "limit": f"{limit:.0%}",
    }
    return Phrase(_NOT_YET, values)


def _listed(row: AlertRow, rules: Mapping[str, AlertRule], now: datetime) -> Listed:
    rule = rules.get(row.rule)
    remark = not_critical_since(row, rule)
    evidence = row.newest or row.evidence
    if rule is not None and row.newest_score is not None and not rule.bad(row.newest_score):
        evidence, remark = row.evidence, Phrase(_BETTER, {"needed": rule.consecutive})
    return Listed(row=row, evidence=evidence, answered=answered(row, now), remark=remark)


def _rank(row: AlertRow, now: datetime) -> tuple[bool, int, float]:
    return answered(row, now), -row.severity.rank, -_chance(row)


def _chance(row: AlertRow) -> float:
    return (row.newest or row.evidence).probability or 0.0


def _group_rank(group: AlertGroup) -> tuple[bool, int, bool, float, tuple[int, int, str]]:
    gravest = group.alerts[0].row
    return (
        group.answered,
        -group.severity.rank,
        # What befalls a plate or the monitor concerns every well.
        gravest.well is not None,
        -_chance(gravest),
        well_order(group.subject.well or ""),
    )


def _advice(rows: Sequence[AlertRow]) -> tuple[str, ...]:
    """Return what to do about alerts; that a well is weak and will be is one trouble."""
    kinds: dict[str, RuleKind] = {}
    for row in rows:
        kinds.setdefault("weak" if row.kind in WEAK else row.kind.value, row.kind)
    return tuple(WORDING[kind].do for kind in kinds.values())
