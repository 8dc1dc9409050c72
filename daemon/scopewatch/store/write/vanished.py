"""What follows where a frame's verdict is taken back: rules step again, empty wells are removed.

A frame that could not be judged under other settings, and can be now, is news to the rules of its
well. A well that only a wrong name made is no well: nothing of it stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.serialisation import unpack_state
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.event_log import get_logger
from scopewatch.store.schema.alert_tables import RuleState
from scopewatch.store.schema.subjects import columns_of
from scopewatch.store.schema.tables import FrameRow, Well
from scopewatch.store.schema.well_tables import MeasuredWell, WellEstimate, WellOutlook

log = get_logger(__name__)


def step_back(session: Session, row: FrameRow) -> None:
    """Let rules step again from a frame's time point on, of which they saw nothing judged.

    Called before the frame's estimate is written. Where something was judged from there on, they
    have stepped over it, and do not again.
    """
    well = row.well
    of_plate = select(Well.id).where(Well.run_id == well.run_id, Well.plate == well.plate)
    for wells, name in ((select(Well.id).where(Well.id == well.id), well.name), (of_plate, "")):
        judged = session.scalar(
            select(WellEstimate.well_id)
            .where(WellEstimate.well_id.in_(wells), WellEstimate.time_point >= row.time_point)
            .limit(1)
        )
        if judged is not None:
            continue
        session.execute(
            update(RuleState)
            .where(
                RuleState.experiment == well.run.name,
                RuleState.plate == well.plate,
                RuleState.well == name,
                RuleState.last_time_point >= row.time_point,
            )
            .values(last_time_point=row.time_point - 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedStates:
    """A subject that is none any more, and the states that its rules had.

    Parameters
    ----------
    states
        By the name of the rule.
    """

    subject: Subject
    states: Mapping[str, AlertState]


def remove_well(session: Session, well: Well) -> tuple[RemovedStates, ...]:
    """Remove a well without frames, and its plate and run where they have no other.

    Returns
    -------
    The well, and its plate where that is removed, with what their rules stood at.
    """
    run, plate, name = well.run, well.plate, well.name
    for kind in (WellEstimate, WellOutlook, MeasuredWell):
        session.execute(delete(kind).where(kind.well_id == well.id))
    session.delete(well)
    session.flush()
    removed = [_remove_states(session, Subject(run=run.name, plate=plate, well=name))]
    left = session.scalars(select(Well.plate).where(Well.run_id == run.id)).all()
    if plate not in left:
        removed.append(_remove_states(session, Subject(run=run.name, plate=plate)))
    if not left:
        session.delete(run)
        session.flush()
    log.warning(
        "well without frames removed",
        run=run.name,
        plate=plate,
        well=name,
    )
    return tuple(removed)


def _remove_states(session: Session, subject: Subject) -> RemovedStates:
    rows = session.scalars(select(RuleState).filter_by(**columns_of(subject))).all()
    states = {row.rule: unpack_state(row.state) for row in rows}
    for row in rows:
        session.delete(row)
    session.flush()
    return RemovedStates(subject=subject, states=states)
