"""What follows where a frame's verdict is taken back: rules see it anew, empty wells go.

A frame that could not be judged under other settings, and can be now, is news to the rules of its
well. A well that only a wrong name made is no well: nothing of it stays, and what was said of it is
taken back.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.serialisation import unpack_state
from scopewatch.core.alerts.state_machine import AlertRule, Change, Observation, Subject, Transition
from scopewatch.event_log import get_logger
from scopewatch.store.schema.alert_tables import Alert, RuleState
from scopewatch.store.schema.tables import FrameRow, Well
from scopewatch.store.schema.well_tables import MeasuredWell, WellEstimate, WellOutlook
from scopewatch.store.write.rules.announcing import Composer, announce
from scopewatch.store.write.rules.rule_states import columns_of

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


def remove_well(
    session: Session,
    well: Well,
    rules: Sequence[AlertRule],
    composer: Composer,
    now: datetime,
) -> None:
    """Remove a well without frames, its plate and run where they have no other, and their alerts.

    What was told of them is told to be over.
    """
    run, plate, name = well.run, well.plate, well.name
    for kind in (WellEstimate, WellOutlook, MeasuredWell):
        session.execute(delete(kind).where(kind.well_id == well.id))
    session.delete(well)
    session.flush()
    _take_back(session, Subject(experiment=run.name, plate=plate, well=name), rules, composer, now)
    left = session.scalars(select(Well.plate).where(Well.run_id == run.id)).all()
    if plate not in left:
        _take_back(session, Subject(experiment=run.name, plate=plate), rules, composer, now)
    if not left:
        session.delete(run)
        session.flush()
    log.warning("well without frames removed", run=run.name, plate=plate, well=name)


def _take_back(
    session: Session,
    subject: Subject,
    rules: Sequence[AlertRule],
    composer: Composer,
    now: datetime,
) -> None:
    """Forget where rules stand for a subject that is none, and end the alerts of it."""
    named = columns_of(subject)
    known = {rule.name: rule for rule in rules}
    for row in session.scalars(select(RuleState).filter_by(**named)).all():
        state, rule = unpack_state(row.state), known.get(row.rule)
        if rule is not None and state.notified is not None:
            seen = state.last or Observation(at=now, score=None)
            over = Transition(
                rule=rule, change=Change.RESOLVED, severity=state.notified, observation=seen, at=now
            )
            announce(session, subject, over, None, composer, now)
        session.delete(row)
    # Of rules that are no longer configured.
    session.execute(update(Alert).filter_by(**named, resolved_at=None).values(resolved_at=now))
    session.flush()
