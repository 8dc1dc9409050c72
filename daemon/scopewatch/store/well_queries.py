"""The wells as they stand now."""

import re
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alert import Severity
from scopewatch.core.efficiency import Efficiency
from scopewatch.core.message import WellName
from scopewatch.store.records import Flag, WellRow
from scopewatch.store.tables import Alert, FrameRow, FrameState, Result, Run, Well, WellEstimate


def named(name: WellName) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that pick one well out of a join of Well and Run."""
    return Run.name == name.experiment, Well.plate == name.plate, Well.name == name.well


def list_wells(session: Session, name: WellName | None, limit: int) -> list[WellRow]:
    """Return every well, or the one of that name: newest run first, then by plate and well."""
    wells = session.execute(
        select(Well, Run)
        .join(Run)
        .where(*(named(name) if name is not None else ()))
        .order_by(Run.first_seen_at.desc(), Run.id.desc(), Well.id)
        .limit(limit)
    ).all()
    newest_first = {run.id: rank for rank, (_, run) in reversed(list(enumerate(wells)))}
    ids = [well.id for well, _ in wells]
    estimates = _newest_estimates(session, ids)
    overlays = _newest_overlays(session, ids)
    counts = _counts(session, ids)
    flags = _flags(session, ids)
    rows = []
    for well, run in sorted(
        wells,
        key=lambda found: (
            newest_first[found[1].id],
            _natural(found[0].plate),
            _natural(found[0].name),
        ),
    ):
        estimate = estimates.get(well.id)
        scored, quarantined, last = counts.get(well.id, (0, 0, None))
        rows.append(
            WellRow(
                name=WellName(experiment=run.name, plate=well.plate, well=well.name),
                time_point=estimate.time_point if estimate else None,
                day=estimate.day if estimate else None,
                efficiency=_efficiency(estimate) if estimate else None,
                scored=scored,
                quarantined=quarantined,
                last_frame_at=last,
                overlay=overlays.get(well.id),
                flags=tuple(flags.get(well.id, ())),
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


def _counts(session: Session, ids: list[int]) -> dict[int, tuple[int, int, datetime | None]]:
    """Return (scored, quarantined, when the newest was settled) of each well."""
    found = session.execute(
        select(
            FrameRow.well_id,
            func.sum(case((FrameRow.state == FrameState.DONE, 1), else_=0)),
            func.sum(case((FrameRow.state == FrameState.QUARANTINED, 1), else_=0)),
            func.max(FrameRow.settled_at),
        )
        .where(FrameRow.well_id.in_(ids))
        .group_by(FrameRow.well_id)
    )
    return {well_id: (scored, quarantined, last) for well_id, scored, quarantined, last in found}


def _flags(session: Session, ids: list[int]) -> dict[int, list[Flag]]:
    flags: dict[int, list[Flag]] = {}
    for alert in session.scalars(
        select(Alert)
        .where(Alert.well_id.in_(ids), Alert.resolved_at.is_(None))
        .order_by(Alert.id.desc())
    ):
        flags.setdefault(alert.well_id, []).append(
            Flag(
                alert=alert.id,
                rule=alert.rule,
                severity=Severity(alert.severity),
                target=alert.target,
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
