"""Reads settings under their old names as the new ones, each with one deprecation line."""

from collections.abc import Iterator
from typing import Any, Final

from scopewatch.core.alerts.rules import RENAMED_KINDS
from scopewatch.core.deprecation import Deprecation

_SINCE: Final = "0.2.0"


def modernise(raw: Any) -> tuple[Any, tuple[Deprecation, ...]]:
    """Return a configuration with today's names, and each old name that it used.

    Parameters
    ----------
    raw
        As read from the file. It is not changed, and what is not understood stays as it is:
        validation names it.
    """
    if not isinstance(raw, dict):
        return raw, ()
    alerts = raw.get("alerts")
    rules = alerts.get("rules") if isinstance(alerts, dict) else None
    if not isinstance(alerts, dict) or not isinstance(rules, list | tuple):
        return raw, ()
    met = tuple(_old_kinds(rules))
    if not met:
        return raw, ()
    named = [_with_new_kind(rule) if isinstance(rule, dict) else rule for rule in rules]
    return raw | {"alerts": alerts | {"rules": named}}, met


def _old_kinds(rules: list[Any] | tuple[Any, ...]) -> Iterator[Deprecation]:
    for number, rule in enumerate(rules):
        kind = rule.get("kind") if isinstance(rule, dict) else None
        if isinstance(kind, str) and kind in RENAMED_KINDS:
            yield Deprecation(
                what="setting",
                where=f"alerts.rules[{number}]",
                old=f"kind: {kind}",
                new=f"kind: {RENAMED_KINDS[kind]}",
                since=_SINCE,
            )


def _with_new_kind(rule: dict[str, Any]) -> dict[str, Any]:
    kind = rule.get("kind")
    if isinstance(kind, str) and kind in RENAMED_KINDS:
        return rule | {"kind": RENAMED_KINDS[kind]}
    return rule
