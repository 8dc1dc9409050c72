"""The target that the wells of a run are measured against."""

from scopewatch.config import Config
from scopewatch.core.alert_rule import RuleKind


def main_target(config: Config, run: str) -> float | None:
    """Return the target that the wells of a run are coloured by.

    That of the weak rule which begins first, among those that speak of the run.
    """
    weak = (RuleKind.WEAK_FORECAST, RuleKind.WEAK_NOW)
    rules = [rule for rule in config.alert_rules() if rule.kind in weak and rule.covers(run)]
    first = min(rules, key=lambda rule: rule.from_day, default=None)
    return None if first is None else first.target
