"""Which time points the rules may step over by now: a well's own, or a plate's as a whole.

Where a rule looks at a whole plate, its wells are stepped together, so that what befalls all of
them is one alert. Otherwise each well is stepped by itself.
"""

from dataclasses import dataclass

from scopewatch.core.alerts.rules import AlertRule
from scopewatch.monitoring.history import NO_TIME_POINT, Plate, PlateHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStep:
    """One step of rules over one time point.

    Parameters
    ----------
    rules
        Those that step; rules that are new catch up in steps of their own.
    fresh
        The wells whose time point is stepped.
    whole
        Whether the plate is looked at as a whole.
    """

    time_point: int
    rules: tuple[AlertRule, ...]
    fresh: frozenset[str]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What may be stepped by now, in this order.

    Parameters
    ----------
    waiting
        Whether the time point after these steps has to wait for frames.
    """

    steps: tuple[DueStep, ...]
    waiting: bool


def due_steps(plate: Plate, history: PlateHistory, *, sites_per_well: int, quiet: bool) -> Due:
    """Return what is to be stepped by now, by time point; each is stepped before the next.

    A well's time point is complete when all its sites are settled, or when a later one has begun.
    A plate's is complete when those of all wells are that came along so far, or when a later one
    has begun. The first of all waits for the second: only then is it known which wells there are.

    Parameters
    ----------
    sites_per_well
        Fields of view that complete a well's time point.
    quiet
        True when no frame of the plate came for long: nothing more is waited for.
    """
    newest, settled, lasts = history.newest, history.settled, history.lasts
    top = max(newest.values(), default=NO_TIME_POINT)
    collapses = [rule for rule in plate.rules if rule.kind.of_a_plate]
    looked = max(
        (lasts.get((rule.name, ""), NO_TIME_POINT) for rule in collapses), default=NO_TIME_POINT
    )

    def complete(well: str, time_point: int) -> bool:
        if newest[well] != time_point:
            return newest[well] > time_point
        return settled.get((well, time_point), sites_per_well) >= sites_per_well

    def whole(time_point: int) -> bool:
        if quiet:
            return True
        if time_point in history.untried:
            return False
        if time_point < top:
            return True
        along = [
            well for well in newest if newest[well] >= time_point - 1 and well not in history.dead
        ]
        return time_point > history.first and all(complete(well, time_point) for well in along)

    by_time: dict[int, list[str]] = {}
    for (well, time_point), frames in settled.items():
        ready = by_time.setdefault(time_point, [])
        # A time point whose frames are all still being worked on cannot be stepped.
        if frames > 0 and (quiet or complete(well, time_point)):
            ready.append(well)
    steps: list[DueStep] = []
    for time_point, ready in sorted(by_time.items()):
        if plate.joint and not whole(time_point):
            return Due(steps=tuple(steps), waiting=True)
        groups: dict[frozenset[str], list[AlertRule]] = {}
        for rule in plate.rules:
            fresh = frozenset(
                well
                for well in ready
                if plate.covers(rule, well)
                and lasts.get((rule.name, well), NO_TIME_POINT) < time_point
            )
            if fresh:
                groups.setdefault(fresh, []).append(rule)
        for fresh, rules in sorted(groups.items(), key=lambda group: -len(group[0])):
            steps.append(
                DueStep(
                    time_point=time_point,
                    rules=(*rules, *collapses),
                    fresh=fresh,
                    whole=looked < time_point,
                )
            )
            looked = max(looked, time_point)
    return Due(steps=tuple(steps), waiting=False)
