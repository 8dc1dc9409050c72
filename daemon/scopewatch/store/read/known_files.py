"""Which of the things that a source found need no more work."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.core.faults import Fault
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.tickets import Mark
from scopewatch.store.read.judging import Judging
from scopewatch.store.schema.columns import WITH_RESULT, FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, Result
from scopewatch.store.schema.value_lists import each_text, each_text_of
from scopewatch.store.schema.well_tables import FluorescenceRow


def settled(
    session: Session,
    source: str,
    found: Sequence[Mark],
    judging: Judging,
    channels: Collection[str],
) -> set[str]:
    """Of what a source found, return the locators that need no more work.

    What was refused, quarantined or skipped under other settings does, and so does a result whose
    name is read now (`Mark.named`) by other settings than it was, unless that was refused already.

    Parameters
    ----------
    channels
        Those that are worked on: a frame that was skipped and is of one of them needs work.
    """
    wanted = {mark.locator: mark for mark in found}
    asked = {"source": source, "locators": list(wanted)}
    known: set[str] = set()
    outdated: set[str] = set()
    for locator, fingerprint, under in session.execute(_refused(), asked):
        if not judging.reads_alike(source, under):
            outdated.add(locator)
        elif wanted[locator].fingerprint == fingerprint:
            known.add(locator)
    for locator, fingerprint, state, channel, under in session.execute(_claimed(), asked):
        mark = wanted[locator]
        if mark.fingerprint != fingerprint:
            continue
        match state:
            case FrameState.SCORED | FrameState.MEASURED:
                # What contradicted it may hold no more.
                named_alike = judging.names_alike(source, under) and locator not in outdated
                over = named_alike or not mark.named
            case FrameState.QUARANTINED:
                over = judging.judges_alike(source, under)
            case FrameState.SKIPPED:
                over = channel not in channels and judging.reads_alike(source, under)
            case _:
                over = state is FrameState.MISSED
        if over:
            known.add(locator)
    timed = {
        locator: mark for locator, mark in wanted.items() if mark.moment.known and locator in known
    }
    return known - _retimed(session, source, timed) if timed else known


# What is asked for each new file is put together once: that takes longer than to ask it.


@cache
def _refused() -> Select[*tuple[Any, ...]]:
    return select(RefusalRow.locator, RefusalRow.fingerprint, RefusalRow.judged_under).where(
        RefusalRow.source == bindparam("source"),
        RefusalRow.locator.in_(each_text_of("locators")),
    )


@cache
def _claimed() -> Select[*tuple[Any, ...]]:
    return select(
        FrameRow.locator,
        FrameRow.fingerprint,
        FrameRow.state,
        FrameRow.channel,
        FrameRow.judged_under,
    ).where(FrameRow.source == bindparam("source"), FrameRow.locator.in_(each_text_of("locators")))


def names_changed(session: Session, source: str, judging: Judging) -> bool:
    """Return whether names of a source's results are to be read again.

    They were read by other settings than there are now, or were contradicted under others.
    """
    names, reading, _ = judging.under(source).split("/")
    if any(not under.startswith(f"{names}/") for under in _judged_under(session, source)):
        return True
    holds = RefusalRow.judged_under.startswith(f"{names}/{reading}/")
    contradicted = select(RefusalRow.id).where(
        RefusalRow.source == source, RefusalRow.fault == Fault.CONTRADICTION, ~holds
    )
    return session.scalar(contradicted.limit(1)) is not None


def _judged_under(session: Session, source: str) -> Iterator[str]:
    """Yield what the results of a source were judged under: each value once.

    They are few, and sought one by one: to go through all frames takes long.
    """
    for state in WITH_RESULT:
        least = select(func.min(FrameRow.judged_under)).where(
            FrameRow.source == source, FrameRow.state == state
        )
        under = session.scalar(least)
        while under is not None:
            yield under
            under = session.scalar(least.where(FrameRow.judged_under > under))


def _retimed(session: Session, source: str, found: Mapping[str, Mark]) -> set[str]:
    """Return the locators of settled frames whose moment is better known now than recorded."""
    rows = session.execute(
        select(
            FrameRow.locator,
            FrameRow.fingerprint,
            func.coalesce(Result.frame_id, FluorescenceRow.frame_id),
            Result.acquired_at,
            Result.elapsed_s,
            FluorescenceRow.acquired_at,
            FluorescenceRow.elapsed_s,
        )
        .outerjoin(Result, Result.frame_id == FrameRow.id)
        .outerjoin(FluorescenceRow, FluorescenceRow.frame_id == FrameRow.id)
        .where(
            FrameRow.source == source,
            FrameRow.locator.in_(each_text(found)),
            FrameRow.state.in_(WITH_RESULT),
        )
    )
    return {
        locator
        for locator, fingerprint, dated, scored_at, scored_s, measured_at, measured_s in rows
        if dated is not None
        and fingerprint == found[locator].fingerprint
        and found[locator].moment.updates(
            Moment(
                acquired_at=scored_at or measured_at,
                elapsed_s=measured_s if scored_s is None else scored_s,
            )
        )
    }
