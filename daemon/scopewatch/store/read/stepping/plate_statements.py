"""What is asked of the database to find the time points of a plate that may be stepped.

Each statement is put together once: that takes longer than to ask it.
"""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, or_, select

from scopewatch.store.schema.alert_tables import RuleState
from scopewatch.store.schema.columns import ASIDE, WITH_RESULT, FrameState
from scopewatch.store.schema.tables import FrameRow, Well


@cache
def wells_of_plate() -> Select[*tuple[Any, ...]]:
    """Name and number of each well of a plate. Asks for: run, plate."""
    return select(Well.name, Well.id).where(
        Well.run_id == bindparam("run"), Well.plate == bindparam("plate")
    )


@cache
def last_steps() -> Select[*tuple[Any, ...]]:
    """Rule, well and last step of the rules of a plate. Asks for: experiment, plate, wells."""
    return select(RuleState.rule, RuleState.well, RuleState.last_time_point).where(
        RuleState.experiment == bindparam("experiment"),
        RuleState.plate == bindparam("plate"),
        RuleState.well.in_(bindparam("wells", expanding=True)),
    )


@cache
def oldest_steps() -> Select[*tuple[Any, ...]]:
    """How many rules of each well have stepped, and the one that is furthest behind.

    Asks for: experiment, plate, wells, rules.
    """
    return (
        select(RuleState.well, func.count(), func.min(RuleState.last_time_point))
        .where(
            RuleState.experiment == bindparam("experiment"),
            RuleState.plate == bindparam("plate"),
            RuleState.well.in_(bindparam("wells", expanding=True)),
            RuleState.rule.in_(bindparam("rules", expanding=True)),
        )
        .group_by(RuleState.well)
    )


@cache
def first_and_newest() -> Select[*tuple[Any, ...]]:
    """Name, first and newest time point of each well. Asks for: wells, channel."""
    return select(
        Well.name,
        _time_point().order_by(FrameRow.time_point).scalar_subquery(),
        _time_point().order_by(FrameRow.time_point.desc()).scalar_subquery(),
    ).where(Well.id.in_(bindparam("wells", expanding=True)))


@cache
def next_after() -> Select[*tuple[Any, ...]]:
    """The first time point of each well after another. Asks for: wells, channel, last."""
    first = (
        _time_point()
        .where(FrameRow.time_point > bindparam("last"))
        .order_by(FrameRow.time_point)
        .scalar_subquery()
    )
    return select(first).select_from(Well).where(Well.id.in_(bindparam("wells", expanding=True)))


@cache
def settled_frames() -> Select[*tuple[Any, ...]]:
    """Well, time point, and how many frames of it are settled, and to be tried again.

    Asks for: wells, channel, first, last, judged_under.
    """
    quarantined = FrameRow.state == FrameState.QUARANTINED
    holds = FrameRow.judged_under.in_(bindparam("judged_under", expanding=True))
    settled = or_(FrameRow.state.in_(WITH_RESULT), and_(quarantined, holds))
    return (
        select(
            FrameRow.well_id,
            FrameRow.time_point,
            func.sum(case((settled, 1), else_=0)),
            func.sum(case((and_(quarantined, ~holds), 1), else_=0)),
        )
        .where(
            FrameRow.well_id.in_(bindparam("wells", expanding=True)),
            FrameRow.channel == bindparam("channel"),
            FrameRow.state.not_in(ASIDE),
            FrameRow.time_point >= bindparam("first"),
            FrameRow.time_point <= bindparam("last"),
        )
        .group_by(FrameRow.well_id, FrameRow.time_point)
    )


def _time_point() -> Select[*tuple[Any, ...]]:
    """Select one time point of the well that the statement around it is at."""
    return (
        select(FrameRow.time_point)
        .where(
            FrameRow.well_id == Well.id,
            FrameRow.channel == bindparam("channel"),
            FrameRow.state.not_in(ASIDE),
        )
        .limit(1)
        .correlate(Well)
    )
