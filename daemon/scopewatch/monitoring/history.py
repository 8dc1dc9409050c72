"""What is known of a plate's time points, as far as rules may still step over them."""

from collections.abc import Mapping
from dataclasses import dataclass

from scopewatch.core.alerts.rules import AlertRule, RuleKind

# A rule of these kinds needs to see the plate's other wells at the same moment.
JOINT = (RuleKind.PLATE_COLLAPSE, RuleKind.OUTLIER_WELL)
# Of a rule that has not stepped yet.
NO_TIME_POINT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A plate of a run with its wells (number by name), and the rules that speak of them."""

    run: str
    plate: str
    wells: Mapping[str, int]
    rules: tuple[AlertRule, ...]

    @property
    def joint(self) -> bool:
        """Whether the wells are stepped together."""
        return any(rule.kind in JOINT for rule in self.rules)

    def covers(self, rule: AlertRule, well: str) -> bool:
        """Whether a rule has a state of its own for a well."""
        return rule.kind.of_a_well and rule.covers(self.run, self.plate, well)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateHistory:
    """The time points of a plate that are not stepped yet, up to some later one.

    Parameters
    ----------
    wells
        Those that are looked at: all, or the one that goes by itself.
    lasts
        The time point that a rule (by name) has stepped over last for a well, '' for the plate.
        What lacks has not stepped.
    newest
        The newest time point of each well that has any, settled or not.
    first
        The first time point of the plate.
    settled
        How many frames are settled of each well's time points that some rule has not stepped over.
    untried
        Time points at which frames are to be tried again: those are not stepped yet.
    dead
        Wells that somebody marked dead: no frame of theirs is waited for.
    until
        The last time point that `settled` and `untried` speak of; None where that are all.
    """

    wells: tuple[str, ...]
    lasts: Mapping[tuple[str, str], int]
    newest: Mapping[str, int]
    first: int
    settled: Mapping[tuple[str, int], int]
    untried: frozenset[int]
    until: int | None
    dead: frozenset[str] = frozenset()


def stepped_by_all(plate: Plate, lasts: Mapping[tuple[str, str], int], well: str) -> int | None:
    """Return the time point up to which all rules of a well have stepped; None without any."""
    return min(
        (
            lasts.get((rule.name, well), NO_TIME_POINT)
            for rule in plate.rules
            if plate.covers(rule, well)
        ),
        default=None,
    )


def lags(stepped: Mapping[str, int | None], newest: Mapping[str, int]) -> dict[str, int]:
    """Return the wells with a time point that some rule has not stepped, and the last before it.

    Parameters
    ----------
    stepped
        What `stepped_by_all` returns for each well.
    """
    return {
        well: last
        for well, last in stepped.items()
        if last is not None and well in newest and newest[well] > last
    }


def must_wait(newest: Mapping[str, int], behind: Mapping[str, int]) -> bool:
    """Whether a plate as a whole has to wait, however many of its frames are settled.

    So it is where nothing but its newest time point is left to be stepped, and a well of the one
    before has yet to begin it.
    """
    top = max(newest.values(), default=NO_TIME_POINT)
    return all(last >= top - 1 for last in behind.values()) and top - 1 in newest.values()
