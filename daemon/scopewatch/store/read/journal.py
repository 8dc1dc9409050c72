"""Reads the journal of time-lapses that are acquired."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from scopewatch.core.acquisition.journal import (
    JournalEntry,
    wells_marked_dead,
    wells_with_more_sites,
)
from scopewatch.core.acquisition.orders import EXTRAS, SITES, SKIPS, THIS_DAY, Act, Target
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.monitoring.acts import ActFacts, FlaggedWell, UnfitFrame
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.tables import FrameRow, JournalRow, Run, Well

# Of one time point, or of one day.
_MOST_ROWS = 500
_WEAK = (RuleKind.WEAK_FORECAST.value, RuleKind.WEAK_NOW.value)


def newest_entries(session: Session, run: str | None, limit: int) -> list[JournalEntry]:
    """Return the newest entries (of a run), oldest first."""
    query = select(JournalRow).order_by(JournalRow.id.desc()).limit(limit)
    if run is not None:
        query = query.where(JournalRow.run == run)
    return [entry_of(row) for row in session.scalars(query)][::-1]


def entry_of(row: JournalRow) -> JournalEntry:
    """Return a row as an entry."""
    return JournalEntry(
        number=row.id,
        source=row.source,
        run=row.run,
        act=Act(row.act),
        by=row.by,
        at=row.at,
        done=row.done,
        done_at=row.done_at,
        outcome=row.outcome,
        height_um=row.height_um,
        time_point=row.time_point,
        target=target_of(row),
        reason=row.reason or "",
    )


def target_of(row: JournalRow) -> Target | None:
    """Return the well or image that a row is about; None where it is about the time-lapse."""
    if row.well is None:
        return None
    return Target(
        plate=row.plate or "",
        well=row.well,
        site=row.site,
        time_point=row.of_time_point,
        channel=row.channel,
    )


def dead_wells(session: Session, run: str) -> list[JournalEntry]:
    """Return the entry of each well of a run that is marked dead, oldest first."""
    return wells_marked_dead(_of_wells(session, run, SKIPS))


def dead_places(session: Session, run: str) -> frozenset[tuple[str, str]]:
    """Return plate and well of each well of a run that is marked dead."""
    targets = (entry.target for entry in dead_wells(session, run))
    return frozenset(each.whole_well for each in targets if each is not None)


def wells_with_sites(session: Session, run: str) -> list[JournalEntry]:
    """Return the entry of each well of a run that has further sites, oldest first."""
    return wells_with_more_sites(_of_wells(session, run, SITES | {Act.DEAD}))


def _of_wells(session: Session, run: str, acts: frozenset[Act]) -> list[JournalEntry]:
    rows = session.scalars(
        select(JournalRow)
        .where(
            JournalRow.run == run,
            JournalRow.done.is_(True),
            JournalRow.act.in_(_values(acts)),
        )
        .order_by(JournalRow.done_at, JournalRow.id)
    )
    return [entry_of(row) for row in rows]


def _values(acts: frozenset[Act]) -> list[str]:
    return sorted(act.value for act in acts)


def act_facts(
    session: Session, run: str, source: str, time_point: int, channel: str, now: datetime
) -> ActFacts:
    """Return what acts of a time-lapse at a time point follow from, without forecasts.

    Parameters
    ----------
    channel
        That of the frames that are judged.
    """
    since = now - THIS_DAY
    asked = session.scalars(
        select(JournalRow)
        .where(
            JournalRow.source == source,
            JournalRow.act.in_(_values(EXTRAS)),
            or_(JournalRow.at >= since, JournalRow.of_time_point == time_point),
        )
        .order_by(JournalRow.id.desc())
        .limit(_MOST_ROWS)
    )
    sites = session.scalars(
        select(JournalRow)
        .where(JournalRow.run == run, JournalRow.act.in_(_values(SITES | {Act.DEAD})))
        .order_by(JournalRow.id)
    )
    return ActFacts(
        sites=tuple(entry_of(row) for row in sites),
        now=now,
        time_point=time_point,
        unfit=_unfit(session, run, source, time_point, channel),
        flagged=_flagged(session, run, since),
        asked=tuple(entry_of(row) for row in asked),
        dead=dead_places(session, run),
    )


def _unfit(
    session: Session, run: str, source: str, time_point: int, channel: str
) -> tuple[UnfitFrame, ...]:
    rows = session.execute(
        select(Well.plate, Well.name, FrameRow.site, FrameRow.fault, FrameRow.reason)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(
            Run.name == run,
            FrameRow.source == source,
            FrameRow.time_point == time_point,
            FrameRow.channel == channel,
            FrameRow.state == FrameState.QUARANTINED,
        )
        .order_by(FrameRow.id)
        .limit(_MOST_ROWS)
    )
    return tuple(
        UnfitFrame(
            target=Target(
                plate=plate, well=well, site=site, time_point=time_point, channel=channel
            ),
            fault=fault or "",
            reason=reason or "",
        )
        for plate, well, site, fault, reason in rows
    )


def _flagged(session: Session, run: str, since: datetime) -> tuple[FlaggedWell, ...]:
    alerts = session.scalars(
        select(Alert)
        .where(
            Alert.experiment == run,
            Alert.well != "",
            Alert.kind.in_(_WEAK),
            Alert.raised_at >= since,
            Alert.resolved_at.is_(None),
        )
        .order_by(Alert.raised_at, Alert.id)
        .limit(_MOST_ROWS)
    )
    return tuple(
        FlaggedWell(
            target=Target(plate=each.plate, well=each.well),
            rule=each.rule,
            raised_at=each.raised_at,
        )
        for each in alerts
    )
