"""Which of the things that a source found need no more work."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from scopewatch.core.frame import Mark
from scopewatch.core.moment import Moment
from scopewatch.store.columns import SETTLED, FrameState
from scopewatch.store.tables import FrameRow, RefusalRow, Result
from scopewatch.store.well_tables import FluorescenceRow


def settled(
    session: Session, source: str, found: Sequence[Mark], channels: Collection[str]
) -> set[str]:
    """Of what a source found, return the locators that need no more work.

    Frames that were skipped for their channel count only while none of the `channels` that are
    worked on is theirs.
    """
    known: set[str] = set()
    wanted = {mark.locator: mark for mark in found}
    locators = _each(wanted)
    for locator, fingerprint, state, channel in session.execute(
        select(FrameRow.locator, FrameRow.fingerprint, FrameRow.state, FrameRow.channel).where(
            FrameRow.source == source, FrameRow.locator.in_(locators)
        )
    ):
        idle = state is FrameState.SKIPPED and channel not in channels
        over = state in SETTLED or state is FrameState.MISSED
        if (idle or over) and wanted[locator].fingerprint == fingerprint:
            known.add(locator)
    for locator, fingerprint in session.execute(
        select(RefusalRow.locator, RefusalRow.fingerprint).where(
            RefusalRow.source == source, RefusalRow.locator.in_(locators)
        )
    ):
        if wanted[locator].fingerprint == fingerprint:
            known.add(locator)
    timed = {
        locator: mark for locator, mark in wanted.items() if mark.moment.known and locator in known
    }
    return known - _retimed(session, source, timed) if timed else known


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
            FrameRow.locator.in_(_each(found)),
            FrameRow.state.in_((FrameState.DONE, FrameState.MEASURED)),
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


def _each(texts: Iterable[str]) -> Select[tuple[str]]:
    """Return texts as a query whose own text is the same however many they are.

    SQLite keeps the last 128 statements of each connection prepared. With a parameter for every
    text each number of them is another statement, of up to 60 kB: tens of megabytes in the end.
    """
    return select(func.json_each(json.dumps(list(texts))).table_valued("value").c.value)
