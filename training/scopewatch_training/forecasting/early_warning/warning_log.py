"""Of which wells the alerts of a replayed plate warn, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import FAILING, WEAK, StateKey
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.state_machine import Change
from scopewatch.monitoring.advance import PlateUpdate
from scopewatch_training.forecasting.early_warning.wells import Warned

OF_WEAK_WELLS: Final = WEAK | {RuleKind.OUTLIER_WELL}
"""Rules of these kinds name a well because it does worse than it should."""


@dataclass(slots=True)
class WarningLog:
    """Which alerts named which wells, as steps go on.

    Attributes
    ----------
    kinds
        Of the rules, by name.
    raised
        Wells under an alert, notified or not: by rule and subject.
    open
        Wells that each open alert named.
    """

    kinds: Mapping[str, RuleKind]
    raised: set[StateKey] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    open: dict[StateKey, frozenset[str]] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)

    def take(self, day: float, update: PlateUpdate) -> None:
        """Take in what a step changed on a day of the run."""
        for key, state in update.states.items():
            (self.raised.add if state.raised else self.raised.discard)(key)
        for subject, transition in update.transitions:
            key = transition.rule.name, subject
            if transition.change is Change.RESOLVED:
                self.open.pop(key, None)
            elif transition.change is Change.RAISED:
                self.open[key] = self._named(transition.rule, subject)
        named = frozenset().union(*self.open.values())
        self.ever |= named
        self.since = {well: self.since.get(well, day) for well in named}

    def warned(self, well: str) -> Warned:
        """Return when an operator was warned of a well."""
        return Warned(ever=well in self.ever, since_day=self.since.get(well))

    def _named(self, rule: AlertRule, subject: Subject) -> frozenset[str]:
        """Return the wells that a new alert calls weak.

        An alert of a plate names all wells that fail; those that fail by being weak are meant here.
        """
        if subject.well is not None:
            return frozenset({subject.well} if rule.kind in OF_WEAK_WELLS else ())
        weak = OF_WEAK_WELLS & frozenset(rule.speaks_for or FAILING)
        return frozenset(
            well.well
            for name, well in self.raised
            if self.kinds[name] in weak and well.well is not None and well.covered_by(rule)
        )
