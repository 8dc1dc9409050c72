"""Alert rules: what each watches, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from math import isfinite
from typing import Final

from scopewatch.core.alerts.quiet_hours import QuietHours
from scopewatch.core.alerts.scope import any_match, any_well


class Severity(StrEnum):
    """How urgently a person should look; in rising order. The values are stored."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the lowest severity."""
        return tuple(Severity).index(self)


# Former values, as configurations and databases of before 0.2.0 hold them.
RENAMED_KINDS: Final[Mapping[str, str]] = {"blind": "no-frames"}


class RuleKind(StrEnum):
    """What a rule watches. The values are stored: one that is renamed goes to RENAMED_KINDS.

    Of one well: `weak-forecast`, `weak-now`, `outlier-well`, `sudden-change`, `unfit-frames`. Of a
    plate: `plate-collapse`. Of the whole run: the others.
    """

    WEAK_FORECAST = "weak-forecast"
    WEAK_NOW = "weak-now"
    PLATE_COLLAPSE = "plate-collapse"
    OUTLIER_WELL = "outlier-well"
    SUDDEN_CHANGE = "sudden-change"
    UNFIT_FRAMES = "unfit-frames"
    NO_FRAMES = "no-frames"
    SOURCE_DEAD = "source-dead"
    ENDED_EARLY = "ended-early"
    DISK_LOW = "disk-low"
    RESTARTED = "restarted"
    MODEL_REFUSED = "model-refused"
    RELOAD_REFUSED = "reload-refused"

    @classmethod
    def _missing_(cls, value: object) -> "RuleKind | None":
        """Return the kind of a former value: databases and configurations hold it."""
        renamed = RENAMED_KINDS.get(value) if isinstance(value, str) else None
        return None if renamed is None else cls(renamed)

    @property
    def of_a_well(self) -> bool:
        """True when each well has a state of its own under such a rule."""
        return self in WELL_KINDS

    @property
    def of_a_plate(self) -> bool:
        """True when each plate has a state of its own under such a rule."""
        return self is RuleKind.PLATE_COLLAPSE

    @property
    def of_the_monitor(self) -> bool:
        """True when the run has one state under such a rule."""
        return not (self.of_a_well or self.of_a_plate)


WELL_KINDS: Final = frozenset(
    {
        RuleKind.WEAK_FORECAST,
        RuleKind.WEAK_NOW,
        RuleKind.OUTLIER_WELL,
        RuleKind.SUDDEN_CHANGE,
        RuleKind.UNFIT_FRAMES,
    }
)

# Score beyond which a rule raises an alert, in the unit of its kind: see `AlertRule.limit`. The
# limit of the forecast is the least that kept simulated runs below one false alarm per 24 wells
# (ADR 0014).
DEFAULT_LIMITS: Final[dict[RuleKind, float]] = {
    RuleKind.WEAK_FORECAST: 0.85,
    RuleKind.WEAK_NOW: 0.0,
    RuleKind.PLATE_COLLAPSE: 0.5,
    RuleKind.OUTLIER_WELL: 4.0,
    RuleKind.SUDDEN_CHANGE: 1.0,
    RuleKind.UNFIT_FRAMES: 0.5,
    RuleKind.NO_FRAMES: 2.0,
    RuleKind.SOURCE_DEAD: 5.0,
    RuleKind.ENDED_EARLY: 0.5,
    RuleKind.DISK_LOW: -5.0,
    RuleKind.RESTARTED: 0.5,
    RuleKind.MODEL_REFUSED: 0.5,
    RuleKind.RELOAD_REFUSED: 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert rule: condition, severity, and how often it may send.

    Parameters
    ----------
    name
        Stored with each alert; unique in a configuration.
    kind
        The condition; it decides the unit of the score.
    target
        Efficiency to reach, 0 to 1 (weak-forecast, weak-now, and what their alerts show).
    limit
        Score must exceed it to count as bad; None takes the kind's default. By kind:

        - weak-forecast: P(final efficiency < target), 0 to 1
        - weak-now: target - efficiency (0: below the target at all)
        - plate-collapse: share of the plate's wells that fail at once, 0 to 1
        - outlier-well: robust z below the replicates
        - sudden-change: size of the jump over what frames of this well usually differ by
        - unfit-frames: 1 for a time point without any judged frame, 0 for another
        - no-frames: time without a frame over the interval between frames (k)
        - source-dead: minutes for which a source has given nothing
        - disk-low: minus the free space in GB
        - ended-early, restarted, model-refused, reload-refused: 1 when it is so, else 0
    critical_limit
        Beyond it the alert is critical; None: never by score alone.
    from_day
        Warm-up: no judgement before this day of the differentiation run.
    consecutive
        Observations in a row that must agree before anything changes.
    hysteresis
        Score must fall to limit - hysteresis to resolve, so that nothing at the limit flaps.
    severity
        Of an alert that is not critical by `critical_limit` or by its age.
    cooldown_h
        Hours after an alert was raised in which the same rule raises none for the same subject.
    escalate_after_h
        An alert that nobody acknowledged becomes critical after so many hours; None: never.
    quiet_hours
        Hours in which only critical alerts are sent; None: none.
    runs, plates, wells
        Patterns of what the rule covers (`core.alerts.scope`); empty: everything.
    replicates
        Outlier-well: groups of wells that should behave alike, each as patterns; empty: the whole
        plate is one group. A well that no group names is not judged.
    speaks_for
        Plate-collapse: kinds of rules whose alerts of single wells it replaces; empty: all kinds
        of wells that fail.
    """

    name: str
    kind: RuleKind = RuleKind.WEAK_NOW
    target: float = 0.5
    limit: float | None = None
    critical_limit: float | None = None
    from_day: float = 0
    consecutive: int = 1
    hysteresis: float = 0
    severity: Severity = Severity.WARNING
    cooldown_h: float = 0
    escalate_after_h: float | None = None
    quiet_hours: QuietHours | None = None
    runs: tuple[str, ...] = ()
    plates: tuple[str, ...] = ()
    wells: tuple[str, ...] = ()
    replicates: tuple[tuple[str, ...], ...] = field(default=())
    speaks_for: tuple[RuleKind, ...] = ()

    def __post_init__(self) -> None:
        fractional = self.kind in (RuleKind.WEAK_NOW, RuleKind.WEAK_FORECAST)
        if not 0 < self.target < 1 or self.hysteresis < 0 or (fractional and self.hysteresis >= 1):
            raise ValueError(f"target and hysteresis are fractions: {self}")
        if self.consecutive < 1 or self.from_day < 0:
            raise ValueError(f"consecutive is >= 1 and from_day >= 0: {self}")
        if self.cooldown_h < 0 or (self.escalate_after_h is not None and self.escalate_after_h < 0):
            raise ValueError(f"hours are >= 0: {self}")
        limits = [limit for limit in (self.limit, self.critical_limit) if limit is not None]
        if not all(isfinite(limit) for limit in limits):
            raise ValueError(f"limits are finite: {self}")
        if self.critical_limit is not None and self.critical_limit < self.raise_above:
            raise ValueError(f"critical_limit lies below limit: {self}")

    @property
    def raise_above(self) -> float:
        """`limit`, or the default of the kind."""
        return DEFAULT_LIMITS[self.kind] if self.limit is None else self.limit

    @property
    def cooldown(self) -> timedelta:
        """`cooldown_h` as a duration."""
        return timedelta(hours=self.cooldown_h)

    def bad(self, score: float) -> bool:
        """Return whether a score counts towards an alert."""
        return score > self.raise_above

    def critical(self, score: float) -> bool:
        """Return whether a score counts towards a critical alert."""
        return self.critical_limit is not None and score > self.critical_limit

    def clear(self, score: float) -> bool:
        """Return whether a score counts towards the end of an open alert."""
        # The tolerance lets 0.35 resolve a target of 0.30 with a hysteresis of 0.05 in binary, too.
        below = score <= self.raise_above - self.hysteresis + 1e-9
        return below and not self.bad(score)

    def covers(self, run: str, plate: str | None = None, well: str | None = None) -> bool:
        """Return whether the rule covers a well, a plate, or a whole run."""
        return (
            any_match(self.runs, run)
            and (plate is None or any_match(self.plates, plate))
            and (well is None or any_well(self.wells, well))
        )
