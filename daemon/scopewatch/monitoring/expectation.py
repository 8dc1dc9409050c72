"""What a well is measured against on a day: what it will come to, reads now, or nothing yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scopewatch.core.alerts.observation import Reading, Subject
from scopewatch.core.alerts.plate import WEAK
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.estimation.forecast import NoForecast, WellForecast, usual_range
from scopewatch.core.imaging.model_card.held_out import ForecastDay


class Basis(StrEnum):
    """What of a well is compared."""

    FORECAST = "forecast"
    NOW = "now"
    USUAL = "usual"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a well is compared with, and what of it.

    Parameters
    ----------
    basis
        FORECAST: what it will come to, with the target. NOW: what it reads, with the target, which
        a rule expects by this day or the run ends on. USUAL: what it reads, with the least that
        the model's runs read on this day, which is more. NOTHING: nothing is known yet.
    value, expected
        Efficiencies, 0 to 1; None where nothing is known. `expected` alone is None where no
        rule has a target.
    """

    basis: Basis
    value: float | None = None
    expected: float | None = None


NOTHING = Expectation(basis=Basis.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """What wells are measured against.

    Parameters
    ----------
    rules
        Those of the configuration; those that call a well weak have its targets.
    table
        `ModelCard.forecast`.
    final_day
        When the run ends.
    """

    rules: Sequence[AlertRule] = ()
    table: Sequence[ForecastDay] = ()
    final_day: float

    def targets(self, run: str) -> tuple[float, ...]:
        """Return the targets of a run's wells, that of the rule which begins first at first."""
        rules = [rule for rule in self.rules if rule.kind in WEAK and rule.covers(run)]
        rules.sort(key=lambda rule: rule.from_day)
        return tuple(dict.fromkeys(rule.target for rule in rules))

    def main_target(self, run: str) -> float | None:
        """Return the target that a run is called by: that of the rule which begins first."""
        return next(iter(self.targets(run)), None)

    def foretold_target(self, subject: Subject) -> float | None:
        """Return what the forecast of a well is measured against; None without a rule."""
        return self._target(subject, RuleKind.WEAK_FORECAST)

    def expect(
        self,
        subject: Subject,
        *,
        day: float,
        now: Reading,
        forecast: WellForecast | NoForecast | None,
    ) -> Expectation:
        """Return what a well is compared with.

        Parameters
        ----------
        day
            Of its newest judged time point.
        now
            What it reads, smoothed where that is known.
        forecast
            What it will come to; None where nobody asked.
        """
        # On the final day it reads what was forecast.
        if isinstance(forecast, WellForecast) and day < forecast.final_day:
            return Expectation(
                basis=Basis.FORECAST, value=forecast.value, expected=self.foretold_target(subject)
            )
        target = self._due_target(subject, day)
        if target is not None:
            return Expectation(basis=Basis.NOW, value=now.value, expected=target)
        usual = usual_range(self.table, day)
        if usual is not None and now.high < usual[0]:
            return Expectation(basis=Basis.USUAL, value=now.value, expected=usual[0])
        return NOTHING

    def _due_target(self, subject: Subject, day: float) -> float | None:
        """Return the target that a well has to have reached by a day."""
        begun = [
            rule
            for rule in self._weak(subject)
            if rule.kind is RuleKind.WEAK_NOW and rule.from_day <= day
        ]
        if begun:
            return max(begun, key=lambda rule: rule.from_day).target
        return self._target(subject, RuleKind.WEAK_NOW) if day >= self.final_day else None

    def _target(self, subject: Subject, kind: RuleKind) -> float | None:
        """Return the target of a well's rule of a kind, or else of the other kind."""
        rules = sorted(self._weak(subject), key=lambda rule: (rule.kind is not kind, rule.from_day))
        return rules[0].target if rules else None

    def _weak(self, subject: Subject) -> list[AlertRule]:
        return [rule for rule in self.rules if rule.kind in WEAK and subject.covered_by(rule)]
