"""Rules of plates that go with configured rules, without being configured themselves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from scopewatch.core.alerts.rules import AlertRule, RuleKind

# As of a rule of plates that is configured (`config.rules.PlateCollapseConfig`).
_IMPLIED_HYSTERESIS: Final = 0.2


def implied_rules(rules: Sequence[AlertRule]) -> tuple[AlertRule, ...]:
    """Return the rules of plates that go with rules of frames that cannot be judged.

    There is none where a configured rule of plates already covers the same wells.
    """
    names = {rule.name for rule in rules}
    plates = [_scope(rule) for rule in rules if rule.kind is RuleKind.PLATE_COLLAPSE]
    implied = []
    for rule in rules:
        if rule.kind is not RuleKind.UNFIT_FRAMES:
            continue
        spoken_for = any(
            all(not wide or wide == own for wide, own in zip(plate, _scope(rule), strict=True))
            for plate in plates
        )
        name = f"{rule.name}: plate"
        if not spoken_for and name not in names:
            implied.append(
                replace(
                    rule,
                    name=name,
                    kind=RuleKind.PLATE_COLLAPSE,
                    limit=None,
                    critical_limit=None,
                    consecutive=1,
                    hysteresis=_IMPLIED_HYSTERESIS,
                    speaks_for=(RuleKind.UNFIT_FRAMES,),
                )
            )
    return tuple(implied)


def _scope(rule: AlertRule) -> tuple[tuple[str, ...], ...]:
    return rule.runs, rule.plates, rule.wells
