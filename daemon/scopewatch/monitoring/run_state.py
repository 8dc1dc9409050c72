"""From the facts of a run to its state: whether an all-clear may be given, or what is missing.

An all-clear needs a frame judged recently in every well that is expected. Without it, that no well
is flagged means little: silence, skipped channels, refused files and frames that cannot be judged
are states of their own, each with what to do.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from scopewatch.core.phrases import Phrase
from scopewatch.monitoring import run_state_words as words
from scopewatch.monitoring.run_end import has_ended, sum_up
from scopewatch.monitoring.run_facts import RunFacts
from scopewatch.monitoring.state import Cause, Level, State
from scopewatch.monitoring.unjudged import (
    BEGINNING,
    Missing,
    Unjudged,
    group_wells,
    name_wells,
    names_of,
)

# Scoring makes progress while a frame was settled, or taken up, within so long.
PROGRESS: Final = timedelta(minutes=10)
# From this share of the newest frames on, that they cannot be judged is the state of the run.
MOSTLY: Final = 0.5


def assess(facts: RunFacts) -> State:
    """Return the state of a run.

    The gravest thing is its sentence; its details hold what is amiss besides.
    """
    daemon = facts.daemon
    if daemon.ready and not daemon.complaints:
        return _assess_run(facts)
    run = _assess_run(facts)
    lines = [words.plainly(line) for line in daemon.complaints]
    if run.needs_somebody:
        lines += [line for line in (run.sentence, run.advice) if line is not None]
    return State(
        level=Level.FAILING if daemon.complaints else Level.WAITING,
        cause=Cause.DAEMON if daemon.ready else Cause.STARTING,
        sentence=Phrase(words.NOT_WELL if daemon.ready else words.STARTING),
        details=tuple(lines),
    )


def _assess_run(facts: RunFacts) -> State:
    if not facts.run.wells:
        return _nothing_yet(facts)
    if has_ended(facts):
        return _ended(facts)
    if not facts.run.alive:
        return _all_dead(facts)
    return _assess_wells(facts, group_wells(facts))


def _assess_wells(facts: RunFacts, groups: Sequence[Unjudged]) -> State:
    """Return the state of a run that goes on; `groups` are its wells that were not judged."""
    if groups and _may_still_come(facts, groups):
        return _scoring(facts)
    frames = facts.run.frames
    if frames.n_unfit and frames.n_unfit >= MOSTLY * (frames.n_unfit + frames.scored):
        return _unfit(facts, groups)
    if groups:
        return _missing(facts, groups)
    if facts.daemon.waiting > len(facts.run.wells) * facts.policy.sites_per_well:
        return _scoring(facts)
    return _all_judged(facts)


def _nothing_yet(facts: RunFacts) -> State:
    refused, daemon = facts.run.refused, facts.daemon
    since = daemon.started_at
    overdue = since is not None and facts.now - since > facts.policy.recent
    if daemon.waiting:
        return _scoring(facts, Level.DEGRADED if overdue else Level.WAITING)
    if refused.count:
        return State(
            level=Level.FAILING,
            cause=Cause.REFUSED,
            sentence=Phrase(words.REFUSED, {"count": refused.count}),
            advice=Phrase(words.READ_AGAIN),
            details=(words.plainly(refused.reason),),
        )
    if since is not None and overdue:
        return _no_frames(facts, facts.now - since)
    return State(level=Level.WAITING, cause=Cause.NO_FRAME_YET, sentence=Phrase(words.WAITING))


def _ended(facts: RunFacts) -> State:
    sentence, advice, details = sum_up(facts)
    return State(
        level=Level.FINISHED,
        cause=Cause.FINISHED,
        sentence=sentence,
        advice=advice,
        details=details,
    )


def _no_frames(facts: RunFacts, silent: timedelta) -> State:
    refused = facts.run.refused
    if refused.count:
        values = {"time": words.lasting(silent), "count": refused.count}
        return State(
            level=Level.FAILING,
            cause=Cause.REFUSED,
            sentence=Phrase(words.REFUSED_SINCE, values),
            advice=Phrase(words.READ_AGAIN),
            details=(words.plainly(refused.reason),),
        )
    return State(
        level=Level.FAILING,
        cause=Cause.NO_FRAMES,
        sentence=Phrase(words.NO_FRAMES, {"time": words.lasting(silent)}),
        advice=Phrase(words.LOOK_FOR_FRAMES),
    )


def _scoring(facts: RunFacts, level: Level = Level.WAITING) -> State:
    pausing = facts.daemon.pausing
    worked_on = sum(well.worked_on_since is not None for well in facts.run.wells)
    return State(
        level=level,
        cause=Cause.SCORING,
        sentence=Phrase(words.SCORING, {"count": max(facts.daemon.waiting, worked_on)}),
        details=(words.plainly(pausing),) if pausing else (),
    )


def _may_still_come(facts: RunFacts, groups: Sequence[Unjudged]) -> bool:
    """Return whether what is missing may be among the frames that are being worked on."""
    run = facts.run
    worked_on = [well.worked_on_since for well in run.wells if well.worked_on_since is not None]
    if facts.daemon.waiting and run.last_at is not None:
        worked_on.append(run.last_at)
    if not any(facts.now - at < PROGRESS for at in worked_on):
        return False
    came = {Missing.OTHER_CHANNEL, Missing.UNFIT}
    return _begins(facts) or all(group.why not in came for group in groups)


def _begins(facts: RunFacts) -> bool:
    began_at = facts.run.began_at
    return began_at is not None and facts.now - began_at < BEGINNING


def _missing(facts: RunFacts, groups: Sequence[Unjudged]) -> State:
    """Return the state where the newest frames are fine and wells are missing."""
    if sum(len(group.wells) for group in groups) < len(facts.run.alive):
        return _some_missing(facts, groups)
    if groups[0].why is Missing.OTHER_CHANNEL:
        return _other_channel(facts)
    last_at = facts.run.last_at
    if facts.daemon.waiting:
        # They are there, but nothing was scored for long.
        return _scoring(facts, Level.FAILING)
    if last_at is not None and facts.now - last_at > facts.policy.recent:
        return _no_frames(facts, facts.now - last_at)
    return _some_missing(facts, groups, level=Level.FAILING)


def _other_channel(facts: RunFacts) -> State:
    channels = facts.run.frames.other_channels
    count = sum(channels.values())
    names = sorted(channels, key=lambda name: (-channels[name], name))
    return State(
        level=Level.FAILING,
        cause=Cause.OTHER_CHANNEL,
        sentence=Phrase(
            words.ONE_OF_OTHER_CHANNEL if count == 1 else words.OTHER_CHANNEL,
            {
                "count": count,
                "channels": words.in_a_row(names),
                "phase": facts.policy.phase_channel,
            },
        ),
        advice=Phrase(words.SET_CHANNEL),
    )


def _unfit(facts: RunFacts, groups: Sequence[Unjudged]) -> State:
    frames = facts.run.frames
    total = frames.scored + frames.n_unfit
    first, *others = frames.faults

    def line(fault: str) -> Phrase:
        trouble = Phrase(words.TROUBLES.get(fault, words.OTHER_TROUBLE))
        values = {"count": frames.unfit[fault], "total": total, "trouble": trouble}
        return Phrase(words.MOSTLY_UNFIT, values)

    details = [line(fault) for fault in others]
    details += [name_wells(group, facts) for group in groups]
    details += [words.plainly(each) for each in frames.examples.get(first, ())]
    return State(
        level=Level.FAILING,
        cause=Cause.UNFIT,
        sentence=line(first),
        advice=Phrase(words.REMEDIES.get(first, words.OTHER_REMEDY)),
        details=tuple(details),
    )


def _some_missing(
    facts: RunFacts, groups: Sequence[Unjudged], level: Level = Level.DEGRADED
) -> State:
    first, *others = groups
    details = [name_wells(group, facts) for group in others]
    details += [line for line in (_absent(facts), _dead(facts)) if line is not None]
    return State(
        level=level,
        cause=Cause.WELLS_MISSING,
        sentence=name_wells(first, facts),
        advice=Phrase(first.advice),
        details=tuple(details),
    )


def _dead(facts: RunFacts) -> Phrase | None:
    dead = [well for well in facts.run.wells if well.marked_dead]
    if not dead:
        return None
    return Phrase(words.MARKED_DEAD, {"names": words.in_a_row(names_of(dead, facts.run.wells))})


def _all_dead(facts: RunFacts) -> State:
    return State(
        level=Level.DEGRADED,
        cause=Cause.WELLS_MISSING,
        sentence=Phrase(words.ALL_DEAD, {"wells": len(facts.run.wells)}),
        advice=Phrase(words.TAKE_WELLS_IN),
    )


def _absent(facts: RunFacts) -> Phrase | None:
    there = {well.well for well in facts.run.wells}
    names = [name for name in facts.named_wells if name not in there]
    return Phrase(words.NAMED_WELLS, {"names": words.in_a_row(names)}) if names else None


def _all_judged(facts: RunFacts) -> State:
    wells, frames = facts.run.alive, facts.run.frames
    absent = _absent(facts)
    if absent:
        return State(
            level=Level.DEGRADED,
            cause=Cause.WELLS_MISSING,
            sentence=absent,
            advice=Phrase(words.LOOK_AT_POSITIONS),
        )
    oldest = min(well.judged_at for well in wells if well.judged_at is not None)
    details = []
    if frames.n_unfit:
        values = {"count": frames.n_unfit, "total": frames.n_unfit + frames.scored}
        details.append(Phrase(words.SOME_UNFIT, values))
    dead = _dead(facts)
    if dead is not None:
        details.append(dead)
    return State(
        level=Level.CLEAR,
        cause=Cause.JUDGED,
        sentence=Phrase(
            words.ALL_JUDGED, {"wells": len(wells), "time": words.lasting(facts.now - oldest)}
        ),
        details=tuple(details),
    )
