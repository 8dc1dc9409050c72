"""What the database knows of runs, and of one for its state: bounded reads, whatever the history.

Of each well the newest frame of every state is sought in an index; frames are counted only within
the last time points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from scopewatch.core.faults import Fault
from scopewatch.monitoring.run_facts import FrameTally, RefusedSeen, RunSeen, WellSeen
from scopewatch.store.read.journal import dead_places
from scopewatch.store.read.ledger import find_run
from scopewatch.store.read.records.runs_and_wells import RunRow
from scopewatch.store.read.well_queries import newest_time_point
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, RefusalRow, Run, Well
from scopewatch.store.schema.well_tables import WellEstimate

MOST_WELLS: Final = 5000
MOST_COUNTED: Final = 5000
# Reasons of so many newest frames are looked through for those that differ.
MOST_REASONS: Final = 50
MOST_EXAMPLES: Final = 3


def see_run(session: Session, name: str, *, recent: timedelta, now: datetime) -> RunSeen:
    """Return what is known of a run; of one that has no frame yet, which files were refused.

    Parameters
    ----------
    recent
        How far back frames are counted; farther where none was judged since.
    """
    run = find_run(session, name)
    if run is None:
        before = session.scalar(select(func.max(FrameRow.settled_at)))
        return RunSeen(name=name, refused=_refused(session, before))
    dead = dead_places(session, name)
    wells = tuple(
        replace(well, marked_dead=True) if (well.plate, well.well) in dead else well
        for well in _wells(session, run.id)
    )
    seen = RunSeen(name=name, began_at=run.first_seen_at, wells=wells)
    judged_at = seen.judged_at
    since = None if judged_at is None else min(now - recent, judged_at)
    silent = judged_at is None or judged_at < now - recent
    return RunSeen(
        name=name,
        began_at=run.first_seen_at,
        wells=wells,
        frames=_tally(session, run.id, since, seen.last_at),
        refused=_refused(session, judged_at) if silent else RefusedSeen(),
    )


def list_runs(session: Session) -> list[RunRow]:
    """Return the differentiation runs, the newest first."""
    return [
        RunRow(
            name=run.name,
            started_at=run.started_at,
            first_frame_at=run.first_frame_at,
            simulated=run.simulated,
        )
        for run in session.scalars(select(Run).order_by(Run.first_seen_at.desc(), Run.id.desc()))
    ]


def list_active(session: Session, since: datetime) -> list[str]:
    """Return the runs of which a frame was settled after a moment, the newest first."""
    settled = select(FrameRow.well_id).where(FrameRow.settled_at > since)
    active = select(Well.run_id).where(Well.id.in_(settled))
    found = session.scalars(
        select(Run.name).where(Run.id.in_(active)).order_by(Run.first_seen_at.desc(), Run.id.desc())
    )
    return list(found)


@lru_cache(maxsize=1)
def _select_wells() -> "Select[Any]":
    # Typed as a selection of nine columns, which is less clear than their names below.
    selected: Any = (
        select(
            Well.plate,
            Well.name,
            _newest(FrameState.SCORED, FrameRow.settled_at),
            _newest(FrameState.QUARANTINED, FrameRow.settled_at),
            _newest(FrameState.SKIPPED, FrameRow.settled_at),
            _newest(FrameState.CLAIMED, FrameRow.claimed_at),
            WellEstimate.time_point,
            WellEstimate.day,
            WellEstimate.efficiency,
        )
        .outerjoin(
            WellEstimate,
            and_(
                WellEstimate.well_id == Well.id,
                WellEstimate.time_point == newest_time_point(WellEstimate),
            ),
        )
        .where(Well.run_id == bindparam("run"))
        .order_by(Well.id)
        .limit(MOST_WELLS)
    )
    return cast("Select[Any]", selected)


def _wells(session: Session, run_id: int) -> tuple[WellSeen, ...]:
    found = session.execute(_select_wells(), {"run": run_id})
    return tuple(
        WellSeen(
            plate=plate,
            well=well,
            judged_at=judged_at,
            unfit_at=unfit_at,
            other_at=other_at,
            worked_on_since=worked_on_since,
            time_point=time_point,
            day=day,
            efficiency=efficiency,
        )
        for (
            plate,
            well,
            judged_at,
            unfit_at,
            other_at,
            worked_on_since,
            time_point,
            day,
            efficiency,
        ) in found
    )


def _newest(
    state: FrameState, moment: "InstrumentedAttribute[datetime | None]"
) -> "ScalarSelect[datetime | None]":
    """Select the newest moment among a well's frames of a state."""
    return (
        select(func.max(moment))
        .where(FrameRow.well_id == Well.id, FrameRow.state == state)
        .correlate(Well)
        .scalar_subquery()
    )


def _tally(
    session: Session, run_id: int, since: datetime | None, until: datetime | None
) -> FrameTally:
    """Count the newest frames of a run by what became of them, from its newest back to `since`."""
    if until is None:
        return FrameTally()
    within = {"run": run_id, "until": until, **({} if since is None else {"since": since})}
    found = session.execute(_select_tally("since" in within), within)
    scored = 0
    unfit: dict[str, int] = {}
    other_channels: dict[str, int] = {}
    for state, fault, channel, count in found:
        if state is FrameState.SCORED:
            scored += count
        elif state is FrameState.QUARANTINED:
            unfit[fault or ""] = unfit.get(fault or "", 0) + count
        elif state is FrameState.SKIPPED:
            other_channels[channel] = other_channels.get(channel, 0) + count
    tally = FrameTally(scored=scored, unfit=unfit, other_channels=other_channels)
    return replace(tally, examples=_examples(session, within, tally.faults))


def _within(bounded: bool) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the newest settled frames of a run.

    The sum keeps SQLite from reading the whole history well by well: it goes back in time.
    """
    wells = select(Well.id).where(Well.run_id == bindparam("run"))
    back_to = (FrameRow.settled_at >= bindparam("since"),) if bounded else ()
    until = FrameRow.settled_at <= bindparam("until")
    return (FrameRow.well_id + 0).in_(wells), until, *back_to


@lru_cache(maxsize=2)
def _select_tally(bounded: bool) -> "Select[Any]":
    newest = (
        select(FrameRow.state, FrameRow.fault, FrameRow.channel)
        .where(*_within(bounded))
        .order_by(FrameRow.settled_at.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    return select(newest.c.state, newest.c.fault, newest.c.channel, func.count()).group_by(
        newest.c.state, newest.c.fault, newest.c.channel
    )


@lru_cache(maxsize=2)
def _select_reasons(bounded: bool) -> "Select[Any]":
    return (
        select(FrameRow.reason)
        .where(
            *_within(bounded),
            FrameRow.state == FrameState.QUARANTINED,
            FrameRow.fault == bindparam("fault"),
        )
        .order_by(FrameRow.settled_at.desc())
        .limit(MOST_REASONS)
    )


def _examples(
    session: Session, within: Mapping[str, Any], faults: Sequence[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return reasons of the first of some faults whose reasons differ."""
    if not faults:
        return {}
    fault = faults[0]
    reasons = session.scalars(_select_reasons("since" in within), {**within, "fault": fault})
    # What is wrong comes before the first colon, then where and the figures of this frame.
    different = {reason.split(":")[0]: reason for reason in reasons if reason}
    return {fault: tuple(different.values())[:MOST_EXAMPLES]}


def _refused(session: Session, since: datetime | None) -> RefusedSeen:
    """Return how many files were refused since a moment, and why the newest was."""
    conditions = [RefusalRow.fault == Fault.REFUSED]
    if since is not None:
        conditions.append(RefusalRow.recorded_at > since)
    some = select(RefusalRow.id).where(*conditions).limit(MOST_COUNTED).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    if not count:
        return RefusedSeen()
    reason = session.scalar(
        select(RefusalRow.reason)
        .where(*conditions)
        .order_by(RefusalRow.recorded_at.desc(), RefusalRow.id.desc())
        .limit(1)
    )
    return RefusedSeen(count=count, reason=reason or "")
