"""The wells as they are now."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Session, aliased

from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.well_name import WellName
from scopewatch.store.read.records.runs_and_wells import Flag, Outlook, WellRow
from scopewatch.store.read.well_counts import NO_FRAMES, Counted, count_by_well
from scopewatch.store.schema.alert_tables import Alert
from scopewatch.store.schema.columns import FrameState
from scopewatch.store.schema.outlook_rows import forecast_of
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.schema.well_tables import WellEstimate, WellOutlook


def named(name: WellName) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that pick one well out of a join of Well and Run."""
    return Run.name == name.run, Well.plate == name.plate, Well.name == name.well


def _every(_name: WellName, _flagged: bool) -> bool:
    return True


def list_wells(
    session: Session,
    name: WellName | None,
    limit: int,
    run: str | None = None,
    counted: Mapping[int, Counted] | None = None,
    *,
    among: Callable[[WellName, bool], bool] = _every,
    whole: Callable[[WellName, bool], bool] = _every,
) -> list[WellRow]:
    """Return every well (of a run), or the one of that name.

    The newest run comes first, then they go by plate and well.

    Parameters
    ----------
    counted
        The frames of these wells, where they were counted already.
    among
        Decides by a well, and by whether it is flagged, whether it is wanted.
    whole
        Decides by a well, and by whether it is flagged, whether its forecast needs its errors:
        those of a whole plate take as long to read as all the rest.
    """
    conditions = named(name) if name is not None else ()
    if run is not None:
        conditions = (*conditions, Run.name == run)
    wells: Sequence[Any] = session.execute(
        select(Well.id, Well.plate, Well.name, Run.id.label("run_id"), Run.name.label("run"))
        .join(Run)
        .where(*conditions)
        .order_by(Run.first_seen_at.desc(), Run.id.desc(), Well.id)
        .limit(limit)
    ).all()
    newest_first = {well.run_id: rank for rank, well in reversed(list(enumerate(wells)))}
    names = {well.id: WellName(run=well.run, plate=well.plate, well=well.name) for well in wells}
    flags = _flags(session, run if name is None else name.run)
    wells = [well for well in wells if among(names[well.id], names[well.id] in flags)]
    ids = [well.id for well in wells]
    estimates = _newest_rows(session, WellEstimate, ids)
    counts = count_by_well(session, ids) if counted is None else counted
    outlooks = _newest_rows(session, WellOutlook, ids)
    errors = _errors(
        session,
        [each for each in outlooks if whole(names[each], names[each] in flags)],
    )
    rows = []
    for well in sorted(
        wells,
        key=lambda found: (
            newest_first[found.run_id],
            _natural(found.plate),
            _natural(found.name),
        ),
    ):
        estimate = estimates.get(well.id)
        frames = counts.get(well.id, NO_FRAMES)
        shown = names[well.id]
        outlook = outlooks.get(well.id)
        rows.append(
            WellRow(
                name=shown,
                time_point=estimate.time_point if estimate else None,
                day=estimate.day if estimate else None,
                efficiency=_efficiency(estimate) if estimate else None,
                scored=frames.frames[FrameState.SCORED],
                quarantined=frames.frames[FrameState.QUARANTINED],
                last_frame_at=frames.last_at,
                judged_at=frames.settled_at[FrameState.SCORED],
                flags=tuple(flags.get(shown, ())),
                outlook=None if outlook is None else outlook_of(outlook, errors.get(well.id, ())),
            )
        )
    return rows


def newest_time_point(table: type[WellEstimate] | type[WellOutlook]) -> "ScalarSelect[int]":
    """Select the newest time point of a well in a table, sought in its index."""
    other = aliased(table)
    return (
        select(func.max(other.time_point))
        .where(other.well_id == Well.id)
        .correlate(Well)
        .scalar_subquery()
    )


@lru_cache(maxsize=4)
def _select_newest(
    table: type[WellEstimate] | type[WellOutlook], errors: bool = False
) -> "Select[Any]":
    """Select the columns of wells' newest rows; of forecasts without their errors, or only these.

    Columns are several times quicker than objects.
    """
    newest = and_(Well.id == table.well_id, table.time_point == newest_time_point(table))
    shown = [each for each in table.__table__.columns if each.name != "filter"]
    columns = [each for each in shown if (each.name == "errors") == errors]
    return (
        select(table.well_id.label("of"), *columns)
        .join(Well, newest)
        .where(Well.id.in_(bindparam("ids", expanding=True)))
    )


def _newest_rows(
    session: Session, table: type[WellEstimate] | type[WellOutlook], ids: Sequence[int]
) -> dict[int, Any]:
    found = session.execute(_select_newest(table), {"ids": list(ids)})
    return {row.of: row for row in found}


def _errors(session: Session, ids: Sequence[int]) -> dict[int, tuple[float, ...]]:
    """Return the errors of the newest forecasts, by well."""
    found = session.execute(_select_newest(WellOutlook, errors=True), {"ids": list(ids)})
    return {row.of: tuple(row.errors) for row in found}


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


def outlook_of(row: Any, errors: Sequence[float]) -> Outlook:
    """Return an outlook as those read it who only read; `row` has the columns of its table."""
    return Outlook(
        time_point=row.time_point,
        day=row.day,
        now_day=row.now_day,
        now=row.now,
        low=row.now_low,
        high=row.now_high,
        trend_per_day=row.trend_per_day,
        final_day=row.final_day,
        forecast=forecast_of(row, errors),
    )


@lru_cache(maxsize=2)
def _select_standing(of_run: bool) -> "Select[Any]":
    # Of the evidence, which holds a whole course, these values alone.
    selected: Any = select(
        Alert.id,
        Alert.experiment,
        Alert.plate,
        Alert.well,
        Alert.rule,
        Alert.kind,
        Alert.severity,
        Alert.acked_at,
        Alert.snoozed_until,
        Alert.evidence["target"].as_float().label("target"),
        Alert.evidence["probability"].as_float().label("probability"),
        Alert.evidence["wells"].label("wells"),
    )
    standing = selected.where(Alert.plate != "", Alert.resolved_at.is_(None))
    if of_run:
        standing = standing.where(Alert.experiment == bindparam("run"))
    return cast("Select[Any]", standing.order_by(Alert.id.desc()))


def _flags(session: Session, run: str | None) -> dict[WellName, list[Flag]]:
    """Return the standing alerts of wells (of a run); a plate's flags each well that it names."""
    flags: dict[WellName, list[Flag]] = {}
    named = {} if run is None else {"run": run}
    for alert in session.execute(_select_standing(run is not None), named):
        wells = [alert.well] if alert.well else alert.wells or ()
        for well in wells:
            name = WellName(run=alert.experiment, plate=alert.plate, well=well)
            flags.setdefault(name, []).append(
                Flag(
                    alert=alert.id,
                    rule=alert.rule,
                    kind=RuleKind(alert.kind),
                    severity=Severity(alert.severity),
                    target=alert.target,
                    probability=alert.probability,
                    acknowledged_at=alert.acked_at,
                    snoozed_until=alert.snoozed_until,
                )
            )
    return flags


def _efficiency(estimate: Any) -> Efficiency:
    return Efficiency(
        value=estimate.efficiency,
        low=estimate.low,
        high=estimate.high,
        corrected=estimate.corrected,
    )


@lru_cache(maxsize=4096)
def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key by which A2 comes before A10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
