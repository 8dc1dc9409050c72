"""What alert rules observe: a subject, its score, and the evidence that messages show."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.estimation.forecast import Silence
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.core.public_names import AS_EXPERIMENT


class Cause(StrEnum):
    """The kind of trouble, where a rule can recognise it. The values are stored."""

    DETACHMENT = "detachment-like"
    CONTAMINATION = "contamination-like"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about: a well, a plate (`well` None), or the run (both None)."""

    run: str = field(metadata=AS_EXPERIMENT)
    plate: str | None = None
    well: str | None = None

    def __post_init__(self) -> None:
        if self.well is not None and self.plate is None:
            raise ValueError(f"a well lies on a plate: {self}")

    def __str__(self) -> str:
        return " / ".join(part for part in (self.run, self.plate, self.well) if part)

    def covered_by(self, rule: AlertRule) -> bool:
        """Return whether a rule covers this subject."""
        return rule.covers(self.run, self.plate, self.well)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An efficiency with its interval, 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of an observation: all that a message shows. Codes and figures, no prose.

    Parameters
    ----------
    now
        The running estimate of the well on the observation's day.
    trend_per_day
        Change of its efficiency per day.
    target
        The efficiency that it should reach.
    forecast, final_day, probability
        What it is expected to come to, when, and P(final < target).
    cannot_forecast, silence
        Why there is no forecast, as one line and as its code; empty and None where there is one or
        none was asked for.
    points
        The time points behind `now`, for a picture of the trend.
    wells
        Plate-wide: the wells that fail, in the order of the plate.
    out_of
        Plate-wide: how many wells could be judged.
    cause
        The kind of trouble, where it is recognised.
    measures
        Other figures, named as the rule's condition says.
    detail
        A line of the program's own (a refusal, a path), shown as it is.
    """

    now: Reading | None = None
    trend_per_day: float | None = None
    target: float | None = None
    forecast: Reading | None = None
    final_day: float | None = None
    probability: float | None = None
    cannot_forecast: str = ""
    silence: Silence | None = None
    points: tuple[WellPoint, ...] = ()
    wells: tuple[str, ...] = ()
    out_of: int = 0
    cause: Cause | None = None
    measures: dict[str, float] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One observation of a subject, or a tick of the clock.

    Parameters
    ----------
    at
        When it became known (the daemon's clock, aware UTC); cooldown and quiet hours run on it.
        A moment before the last one counts as the last one.
    day
        Day of the differentiation run, may be fractional; None: the rule knows no days.
    score
        In the unit of the rule's kind, larger is worse; None: nothing could be judged, which
        neither feeds nor breaks a series (a mere tick of the clock, too).
    """

    at: datetime
    day: float | None = None
    score: float | None
    evidence: Evidence = Evidence()

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"observation without a time zone: {self.at}")
        if self.score is not None and not isfinite(self.score):
            raise ValueError(f"score is not finite: {self.score}")
