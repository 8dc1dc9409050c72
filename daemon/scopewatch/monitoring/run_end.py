"""The end of a run: whether it is over, and what came of its wells."""

from datetime import timedelta
from typing import Final

from scopewatch.core.phrases import Phrase
from scopewatch.monitoring import run_state_words as words
from scopewatch.monitoring.run_facts import RunFacts, WellSeen
from scopewatch.monitoring.unjudged import names_of, newest_time_points

DAY: Final = timedelta(days=1)
# How long the other wells of the last time point are waited for after the first of them.
LAST_WELLS: Final = timedelta(hours=6)


def has_ended(facts: RunFacts) -> bool:
    """Return whether the run is over: its final day was judged, or has passed.

    The last time point is seldom to the minute on the final day, and its wells do not come all at
    once.
    """
    newest = facts.run.newest
    if newest is None or newest.day is None or newest.judged_at is None:
        return False
    policy = facts.policy
    silent = facts.now - max(newest.judged_at, facts.run.last_at or newest.judged_at)
    if newest.day >= policy.final_day - policy.interval / DAY / 2:
        wait = min(policy.interval / 2, LAST_WELLS)
        return not _late(facts) or silent > wait
    day_now = newest.day + (facts.now - newest.judged_at) / DAY
    return day_now > policy.final_day + policy.interval / DAY


def sum_up(facts: RunFacts) -> tuple[Phrase, Phrase, tuple[Phrase, ...]]:
    """Return what came of a run that is over: its sentence, what to do, and its lines."""
    newest, policy = facts.run.newest, facts.policy
    day = newest.day if newest is not None and newest.day is not None else 0.0
    judged = [well for well in facts.run.wells if well.efficiency is not None]
    late = _late(facts)
    sentence = Phrase(
        words.FINISHED,
        {
            "day": f"{day:.1f}",
            "count": len(facts.run.alive) - len(late),
            "wells": len(facts.run.wells),
        },
    )
    if day < policy.final_day - policy.interval / DAY:
        values = {"final_day": f"{policy.final_day:g}", "day": f"{day:.1f}"}
        sentence = Phrase(words.OVER, values)
    lines = []
    if facts.target is not None and judged:
        lines += _against_target(judged, facts, facts.target)
    if late:
        names = words.in_a_row(names_of(late, facts.run.wells))
        lines.append(Phrase(words.NOT_JUDGED_AT_END, {"names": names}))
    dead = [well for well in facts.run.wells if well.marked_dead]
    if dead:
        names = words.in_a_row(names_of(dead, facts.run.wells))
        lines.append(Phrase(words.MARKED_DEAD, {"names": names}))
    return sentence, Phrase(words.AFTER_THE_RUN), tuple(lines)


def _late(facts: RunFacts) -> list[WellSeen]:
    """Return the wells that were not judged at the newest time point of their plate."""
    newest = newest_time_points(facts.run.wells)
    return [
        well
        for well in facts.run.alive
        if well.time_point is None or well.time_point < newest.get(well.plate, 0)
    ]


def _against_target(judged: list[WellSeen], facts: RunFacts, target: float) -> list[Phrase]:
    below = [well for well in judged if (well.efficiency or 0.0) < target]
    shown = f"{target:.0%}"
    values = {"count": len(judged) - len(below), "wells": len(judged), "target": shown}
    lines = [Phrase(words.REACHED, values)]
    if below:
        names = [
            words.with_value(name, well.efficiency or 0.0)
            for well in sorted(below, key=lambda well: well.efficiency or 0.0)
            for name in names_of([well], facts.run.wells)
        ]
        lines.append(Phrase(words.BELOW, {"target": shown, "names": words.in_a_row(names)}))
    return lines
