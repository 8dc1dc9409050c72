"""The states of alert rules as they are stored, for a plate or for the monitor."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.alerts.serialisation import unpack_past, unpack_state
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.alerts.wells import Past
from scopewatch.monitoring.history import NO_TIME_POINT
from scopewatch.store.schema.alert_tables import RuleState
from scopewatch.store.schema.subjects import subject_of
from scopewatch.store.schema.tables import FrameRow, Run, Well


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a row of `rule_states` holds beside the state itself."""

    last: int
    past: dict[str, Any] | None
    past_until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The states of a plate (or of the whole run) with what is stored beside them."""

    rows: Mapping[StateKey, Stored]
    states: Mapping[StateKey, AlertState]

    def last(self, key: StateKey) -> int:
        """Return the time point that a state has stepped over last."""
        row = self.rows.get(key)
        return NO_TIME_POINT if row is None else row.last

    def past(self, key: StateKey, kind: RuleKind) -> Past | None:
        """Return what a rule remembers up to there; None where that has to be worked out again."""
        row = self.rows.get(key)
        if row is None or row.last == NO_TIME_POINT:
            return Past()
        if row.past is None or row.past_until != row.last:
            return None
        return unpack_past(kind, row.past)


def read_states(
    session: Session,
    run: str,
    plate: str | None,
    rules: Iterable[str],
    wells: Collection[str] | None = None,
) -> States:
    """Return the states of rules on one plate, or on the run where `plate` is None.

    Parameters
    ----------
    rules
        Their names.
    wells
        Those that are read beside the plate itself; None: all.
    """
    query = select(
        RuleState.rule,
        RuleState.well,
        RuleState.state,
        RuleState.last_time_point,
        RuleState.past,
        RuleState.past_until,
    ).where(
        RuleState.experiment == run,
        RuleState.plate == (plate or ""),
        RuleState.rule.in_(list(rules)),
    )
    if wells is not None:
        query = query.where(RuleState.well.in_(("", *wells)))
    rows, states = {}, {}
    for rule, well, state, last, past, past_until in session.execute(query):
        key = rule, subject_of(run, plate or "", well)
        rows[key] = Stored(last=last, past=past, past_until=past_until)
        states[key] = unpack_state(state)
    return States(rows=rows, states=states)


def open_plates(session: Session, rules: Sequence[str], since: datetime) -> list[tuple[str, str]]:
    """Return run and plate of the plates with a frame since, of which the clock may change more."""
    lately = select(FrameRow.well_id).where(FrameRow.settled_at > since)
    of_wells = select(Well.run_id).where(Well.id.in_(lately))
    runs = select(Run.name).where(Run.id.in_(of_wells))
    found = session.execute(
        select(RuleState.experiment, RuleState.plate)
        .where(
            RuleState.open,
            RuleState.experiment.in_(runs),
            RuleState.plate != "",
            RuleState.rule.in_(rules),
        )
        .distinct()
        .order_by(RuleState.experiment, RuleState.plate)
    )
    return [(run, plate) for run, plate in found]
