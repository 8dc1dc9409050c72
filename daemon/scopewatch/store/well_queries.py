"""The wells as they stand now."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alert import RuleKind, Severity
from scopewatch.core.efficiency import Efficiency
from scopewatch.core.message import WellName
from scopewatch.store.alert_tables import Alert
from scopewatch.store.columns import FrameState
from scopewatch.store.outlook_rows import forecast_of
from scopewatch.store.records import Flag, Outlook, WellRow
from scopewatch.store.tables import FrameRow, Result, Run, Well
from scopewatch.store.well_tables import WellEstimate, WellOutlook


def named(name: WellName) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that pick one well out of a join of Well and Run."""
    return Run.name == name.experiment, Well.plate == name.plate, Well.name == name.well


def list_wells(
    session: Session, name: WellName | None, limit: int, run: str | None = None
) -> list[WellRow]:
    """Return every well (of a run), or the one of that name.

    The newest run comes first, then they go by plate and well.
    """
    conditions = named(name) if name is not None else ()
    if run is not None:
        conditions = (*conditions, Run.name == run)
    wells = session.execute(
        select(Well, Run)
        .join(Run)
        .where(*conditions)
        .order_by(Run.first_seen_at.desc(), Run.id.desc(), Well.id)
        .limit(limit)
    ).all()
    newest_first = {its_run.id: rank for rank, (_, its_run) in reversed(list(enumerate(wells)))}
    ids = [well.id for well, _ in wells]
    estimates = _newest_estimates(session, ids)
    overlays = _newest_overlays(session, ids)
    counts = _counts(session, ids)
    flags = _flags(session)
    outlooks = newest_outlooks(session, ids)
    rows = []
    for well, its_run in sorted(
        wells,
        key=lambda found: (
            newest_first[found[1].id],
            _natural(found[0].plate),
            _natural(found[0].name),
        ),
    ):
        estimate = estimates.get(well.id)
        counted = counts.get(well.id, _NONE)
        shown = WellName(experiment=its_run.name, plate=well.plate, well=well.name)
        outlook = outlooks.get(well.id)
        rows.append(
            WellRow(
                name=shown,
                time_point=estimate.time_point if estimate else None,
                day=estimate.day if estimate else None,
                efficiency=_efficiency(estimate) if estimate else None,
                scored=counted.scored,
                quarantined=counted.quarantined,
                last_frame_at=counted.last_at,
                judged_at=counted.judged_at,
                overlay=overlays.get(well.id),
                flags=tuple(flags.get(shown, ())),
                outlook=None if outlook is None else outlook_of(outlook),
            )
        )
    return rows


def _newest_estimates(session: Session, ids: list[int]) -> dict[int, WellEstimate]:
    newest = _newest(ids)
    found = session.scalars(
        select(WellEstimate).join(
            newest,
            and_(
                WellEstimate.well_id == newest.c.well_id,
                WellEstimate.time_point == newest.c.time_point,
            ),
        )
    )
    return {estimate.well_id: estimate for estimate in found}


def _newest_overlays(session: Session, ids: list[int]) -> dict[int, str]:
    """Return one picture per well: of the first judged site at its newest estimate."""
    newest = _newest(ids)
    found = session.execute(
        select(FrameRow.well_id, Result.overlay)
        .join(Result, Result.frame_id == FrameRow.id)
        .join(
            newest,
            and_(
                FrameRow.well_id == newest.c.well_id,
                FrameRow.time_point == newest.c.time_point,
            ),
        )
        .order_by(FrameRow.site.desc())
    )
    return {row.well_id: row.overlay for row in found}


def _newest(ids: list[int]) -> Subquery:
    return (
        select(WellEstimate.well_id, func.max(WellEstimate.time_point).label("time_point"))
        .where(WellEstimate.well_id.in_(ids))
        .group_by(WellEstimate.well_id)
        .subquery()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """The frames of a well, and when the newest of all, and of the judged ones, was settled."""

    scored: int
    quarantined: int
    last_at: datetime | None
    judged_at: datetime | None


_NONE = _Counted(scored=0, quarantined=0, last_at=None, judged_at=None)


def _counts(session: Session, ids: list[int]) -> dict[int, _Counted]:
    found = session.execute(
        select(
            FrameRow.well_id,
            func.sum(case((FrameRow.state == FrameState.DONE, 1), else_=0)),
            func.sum(case((FrameRow.state == FrameState.QUARANTINED, 1), else_=0)),
            func.max(FrameRow.settled_at),
            func.max(case((FrameRow.state == FrameState.DONE, FrameRow.settled_at))),
        )
        .where(FrameRow.well_id.in_(ids))
        .group_by(FrameRow.well_id)
    )
    return {
        well_id: _Counted(scored=scored, quarantined=quarantined, last_at=last, judged_at=judged)
        for well_id, scored, quarantined, last, judged in found
    }


def newest_outlooks(
    session: Session, ids: Sequence[int], until: int | None = None
) -> dict[int, WellOutlook]:
    """Return the newest outlook of each well (up to a time point)."""
    newest = select(func.max(WellOutlook.time_point)).where(WellOutlook.well_id == Well.id)
    if until is not None:
        newest = newest.where(WellOutlook.time_point <= until)
    # Well by well, so that no other outlook is read.
    found = session.scalars(
        select(WellOutlook)
        .join(
            Well,
            and_(
                Well.id == WellOutlook.well_id,
                WellOutlook.time_point == newest.correlate(Well).scalar_subquery(),
            ),
        )
        .where(Well.id.in_(ids))
    )
    return {row.well_id: row for row in found}


def outlook_of(row: WellOutlook) -> Outlook:
    """Return an outlook as those read it who only read."""
    return Outlook(
        time_point=row.time_point,
        day=row.day,
        now_day=row.now_day,
        now=row.now,
        low=row.now_low,
        high=row.now_high,
        trend_per_day=row.trend_per_day,
        final_day=row.final_day,
        forecast=forecast_of(row),
    )


def _flags(session: Session) -> dict[WellName, list[Flag]]:
    """Return the standing alerts of wells; a plate's alert flags each well that it names."""
    flags: dict[WellName, list[Flag]] = {}
    for alert in session.scalars(
        select(Alert)
        .where(Alert.plate != "", Alert.resolved_at.is_(None))
        .order_by(Alert.id.desc())
    ):
        wells = [alert.well] if alert.well else alert.evidence.get("wells", [])
        for well in wells:
            name = WellName(experiment=alert.experiment, plate=alert.plate, well=well)
            flags.setdefault(name, []).append(
                Flag(
                    alert=alert.id,
                    rule=alert.rule,
                    kind=RuleKind(alert.kind),
                    severity=Severity(alert.severity),
                    target=alert.evidence.get("target"),
                    probability=alert.evidence.get("probability"),
                    acknowledged_at=alert.acked_at,
                    snoozed_until=alert.snoozed_until,
                )
            )
    return flags


def _efficiency(estimate: WellEstimate) -> Efficiency:
    return Efficiency(
        value=estimate.efficiency,
        low=estimate.low,
        high=estimate.high,
        corrected=estimate.corrected,
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key by which A2 comes before A10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
