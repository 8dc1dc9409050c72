"""Labels of the flags of wells: what is wrong, and whether that is certain."""

from dataclasses import dataclass
from typing import Final

from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.phrases import mark
from scopewatch.store.read.records.runs_and_wells import Flag, WellRow

# A forecast of this probability counts as certain: one in twenty of such wells ends otherwise.
SURE: Final = 0.95

_ENDS_WEAK: Final = (mark("ENDS WEAK"), mark("ENDS WEAK?"))
_WEAK_NOW: Final = (mark("WEAK NOW"), mark("WEAK NOW?"))
_OTHERS: Final = {
    RuleKind.PLATE_COLLAPSE: mark("PLATE"),
    RuleKind.OUTLIER_WELL: mark("OUTLIER"),
    RuleKind.SUDDEN_CHANGE: mark("CHANGED"),
    RuleKind.UNFIT_FRAMES: mark("UNFIT"),
}
_OTHER: Final = mark("ALERT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The word of a flag, a message id, and how it looks."""

    word: str
    sure: bool
    critical: bool


def label_of(flag: Flag, row: WellRow) -> Label:
    """Return the label of a well's flag, by what is known of the well now.

    A forecast is sure from a probability of 95 % on; that a well is weak now is sure where its
    whole interval lies below the target. What is not sure bears a question mark.
    """
    sure = _is_sure(flag, row)
    words = {RuleKind.WEAK_FORECAST: _ENDS_WEAK, RuleKind.WEAK_NOW: _WEAK_NOW}.get(flag.kind)
    return Label(
        word=_OTHERS.get(flag.kind, _OTHER) if words is None else words[not sure],
        sure=sure,
        critical=flag.severity is Severity.CRITICAL,
    )


def _is_sure(flag: Flag, row: WellRow) -> bool:
    if flag.kind is RuleKind.WEAK_FORECAST:
        foreseen = None if row.outlook is None else row.outlook.forecast
        chance = flag.probability
        if isinstance(foreseen, WellForecast) and flag.target is not None:
            chance = foreseen.probability_below(flag.target)
        return chance is not None and chance >= SURE
    if flag.kind is RuleKind.WEAK_NOW:
        seen = row.outlook if row.outlook is not None else row.efficiency
        return seen is not None and flag.target is not None and seen.high < flag.target
    return True
