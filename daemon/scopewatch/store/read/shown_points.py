"""The time points of a well that the picture of an alert shows."""

from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.monitoring.well_facts import to_point
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.schema.well_tables import WellEstimate

# More would lie on top of one another in the picture.
MOST: Final = 120
_ANY: Final = 2**31


def shown_points(
    session: Session, subject: Subject, newest: WellPoint, until: int | None
) -> tuple[WellPoint, ...]:
    """Return the judged time points of a well up to its newest one, every n-th where they are many.

    Parameters
    ----------
    newest
        As it was when it was looked at; it is the last of them.
    until
        Its time point or a later one; None: whatever there is.
    """
    named = {"run": subject.run, "plate": subject.plate, "well": subject.well}
    found = session.execute(
        _statement(), named | {"day": newest.day, "until": _ANY if until is None else until}
    )
    points = [to_point(*figures) for figures in found]
    return (*(point for point in points if point.day < newest.day), newest)


@cache
def _statement() -> Select[*tuple[Any, ...]]:
    """Return what is asked for each alert; putting it together takes longer than asking it."""
    judged = (
        select(
            WellEstimate.time_point,
            WellEstimate.day,
            WellEstimate.efficiency,
            WellEstimate.low,
            WellEstimate.high,
            func.row_number().over(order_by=WellEstimate.time_point.desc()).label("place"),
            func.count().over().label("total"),
        )
        .join(Well, Well.id == WellEstimate.well_id)
        .join(Run, Run.id == Well.run_id)
        .where(
            Run.name == bindparam("run"),
            Well.plate == bindparam("plate"),
            Well.name == bindparam("well"),
            WellEstimate.day <= bindparam("day"),
            WellEstimate.time_point <= bindparam("until"),
        )
        .subquery()
    )
    each = judged.c
    return (
        select(each.day, each.efficiency, each.low, each.high)
        .where((each.place - 1) % ((each.total + MOST - 1) // MOST) == 0)
        .order_by(each.time_point)
    )
