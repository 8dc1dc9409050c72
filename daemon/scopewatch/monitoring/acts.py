"""What a time-lapse is to do by itself: further images of unfit frames, flagged wells, and doubt.

Facts in, wishes out. Each act is wanted once: what was asked for before is among the facts, so that
a restart changes nothing. Whether there is time for it, the time-lapse decides when it is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scopewatch.core.acquisition.journal import JournalEntry, wells_with_more_sites
from scopewatch.core.acquisition.orders import THIS_DAY, Act, Target
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.scope import any_well
from scopewatch.core.estimation.forecast import WellForecast
from scopewatch.core.faults import Fault

# What another image of the same place may mend.
UNFIT: Final = frozenset({Fault.BLANK, Fault.SATURATED, Fault.OUT_OF_FOCUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActPolicy:
    """What is switched on.

    Parameters
    ----------
    reimage
        Whether an unfit frame is taken again.
    refocuses
        Whether the focus is found before: else a frame out of focus would be as it was.
    fluorescence
        Whether a flagged well is taken in fluorescence.
    most
        Images of one time point at most, further sites not counted.
    doubt
        A well is in doubt where its probability of ending below the target is within this of 0.5;
        None where no well gets further sites.
    most_wells
        Wells with further sites at a time.
    rules
        Those of kind weak-forecast, which have the targets.
    """

    reimage: bool = False
    refocuses: bool = False
    fluorescence: bool = False
    most: int = 8
    doubt: float | None = None
    most_wells: int = 0
    rules: tuple[AlertRule, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether anything is."""
        return self.reimage or self.fluorescence or self.doubt is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfitFrame:
    """A frame that could not be judged."""

    target: Target
    fault: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedWell:
    """An alert of a well that is expected, or seen, to be weak.

    Parameters
    ----------
    raised_at
        Aware UTC.
    """

    target: Target
    rule: str
    raised_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedWell:
    """The newest forecast of a well."""

    target: Target
    forecast: WellForecast


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFacts:
    """What acts follow from.

    Parameters
    ----------
    time_point
        The one that is due or under way; None where none is, or nothing is acquired for now.
    asked
        The journal's acts of the kinds here that are still of interest, done or not.
    dead
        Wells that are marked dead.
    expected
        Wells with a forecast.
    sites
        The journal's acts on further sites of the run, done or not.
    """

    now: datetime
    time_point: int | None
    unfit: Sequence[UnfitFrame] = ()
    flagged: Sequence[FlaggedWell] = ()
    asked: Sequence[JournalEntry] = ()
    dead: frozenset[tuple[str, str]] = frozenset()
    expected: Sequence[ExpectedWell] = ()
    sites: Sequence[JournalEntry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An act that is wanted, and why."""

    act: Act
    target: Target
    reason: str


def decide(policy: ActPolicy, facts: ActFacts) -> tuple[Wish, ...]:
    """Return what is wanted now: flagged wells first, then unfit frames in their order."""
    if facts.time_point is None:
        return ()
    asked_now = sum(_is_of(each, facts.time_point) for each in facts.asked)
    wishes = [*_fluorescence(policy, facts), *_again(policy, facts)]
    return (*wishes[: max(0, policy.most - asked_now)], *_more_sites(policy, facts))


def _again(policy: ActPolicy, facts: ActFacts) -> list[Wish]:
    before = {each.target for each in facts.asked if each.act is Act.REIMAGE}
    wishes: dict[Target, Wish] = {}
    for frame in facts.unfit if policy.reimage else ():
        target = frame.target
        if target.time_point != facts.time_point or target in before:
            continue
        if frame.fault not in UNFIT or target.whole_well in facts.dead:
            continue
        if frame.fault == Fault.OUT_OF_FOCUS and not policy.refocuses:
            continue
        wishes.setdefault(target, Wish(act=Act.REIMAGE, target=target, reason=frame.reason))
    return list(wishes.values())


def _fluorescence(policy: ActPolicy, facts: ActFacts) -> list[Wish]:
    wishes: dict[Target, Wish] = {}
    for flag in facts.flagged if policy.fluorescence else ():
        well = flag.target.whole_well
        if well in facts.dead or facts.now - flag.raised_at > THIS_DAY:
            continue
        if any(
            each.act is Act.FLUORESCENCE
            and each.at >= flag.raised_at
            and each.target is not None
            and each.target.whole_well == well
            for each in facts.asked
        ):
            continue
        reason = f"flagged by the rule {flag.rule}"
        wishes.setdefault(
            flag.target, Wish(act=Act.FLUORESCENCE, target=flag.target, reason=reason)
        )
    return list(wishes.values())


def _more_sites(policy: ActPolicy, facts: ActFacts) -> list[Wish]:
    """Return the wells that are in doubt, those nearest to 0.5 first.

    A well that had further sites once, or was refused them, does not get them again by itself.
    """
    if policy.doubt is None:
        return []
    asked = {
        each.target.whole_well
        for each in facts.sites
        if each.target is not None and each.act is Act.MORE_SITES
    }
    waiting = sum(each.done is None and each.act is Act.MORE_SITES for each in facts.sites)
    room = policy.most_wells - waiting - len(wells_with_more_sites(facts.sites))
    doubts = []
    for each in facts.expected:
        well = each.target.whole_well
        rule = next((rule for rule in policy.rules if any_well(rule.wells, well[1])), None)
        if rule is None or well in asked or well in facts.dead:
            continue
        below = each.forecast.probability_below(rule.target)
        if abs(below - 0.5) <= policy.doubt:
            reason = f"in doubt: {below:.0%} probable to end below {rule.target:.0%}"
            wish = Wish(act=Act.MORE_SITES, target=each.target, reason=reason)
            doubts.append((abs(below - 0.5), well, wish))
    doubts.sort(key=lambda each: each[:2])
    return [wish for _, _, wish in doubts[: max(0, room)]]


def _is_of(entry: JournalEntry, time_point: int) -> bool:
    """Tell whether an act counts for a time point: it is about it, was done then, or waits."""
    about = None if entry.target is None else entry.target.time_point
    return time_point in (about, entry.time_point) or (about is None and entry.done is None)
