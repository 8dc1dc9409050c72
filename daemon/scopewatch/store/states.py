"""Where rules stand: read for a plate or for the monitor, and written back where they changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.alert import AlertState, Subject
from scopewatch.core.alert_json import pack_state, unpack_state
from scopewatch.core.alert_plate import StateKey
from scopewatch.store.alert_tables import RuleState

NO_TIME_POINT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The states of a plate (or of the whole experiment) with the rows they came from."""

    rows: Mapping[StateKey, RuleState]
    states: Mapping[StateKey, AlertState]


def read_states(
    session: Session, experiment: str, plate: str | None, rules: Iterable[str]
) -> States:
    """Return where these rules stand on one plate, or on the experiment where `plate` is None."""
    rows = {
        (row.rule, subject_of(row.experiment, row.plate, row.well)): row
        for row in session.scalars(
            select(RuleState).where(
                RuleState.experiment == experiment,
                RuleState.plate == (plate or ""),
                RuleState.rule.in_(list(rules)),
            )
        )
    }
    return States(rows=rows, states={key: unpack_state(row.state) for key, row in rows.items()})


def write_states(
    session: Session,
    before: States,
    after: Mapping[StateKey, AlertState],
    stepped: Mapping[StateKey, int],
) -> None:
    """Write the states that changed.

    A state of which only its last moment moved is not worth a write, unless it has stepped.

    Parameters
    ----------
    stepped
        The time point that each state has stepped over now, where it has.
    """
    for key, state in after.items():
        row, old = before.rows.get(key), before.states.get(key, AlertState())
        if key not in stepped and replace(state, at=old.at) == old:
            continue
        if row is None:
            row = _new_row(key)
            session.add(row)
        row.state = pack_state(state)
        row.open = state.raised or state.said is not None
        row.last_time_point = max(row.last_time_point, stepped.get(key, NO_TIME_POINT))
    session.flush()


def open_plates(session: Session, rules: Sequence[str]) -> list[tuple[str, str]]:
    """Return experiment and plate of the plates of which something may change by the clock."""
    found = session.execute(
        select(RuleState.experiment, RuleState.plate)
        .where(RuleState.open, RuleState.plate != "", RuleState.rule.in_(rules))
        .distinct()
        .order_by(RuleState.experiment, RuleState.plate)
    )
    return [(experiment, plate) for experiment, plate in found]


def subject_of(experiment: str, plate: str, well: str) -> Subject:
    """Return a subject from its columns."""
    return Subject(experiment=experiment, plate=plate or None, well=well or None)


def columns_of(subject: Subject) -> dict[str, str]:
    """Return the columns of a subject: '' stands for the whole of what comes before."""
    return {
        "experiment": subject.experiment,
        "plate": subject.plate or "",
        "well": subject.well or "",
    }


def _new_row(key: StateKey) -> RuleState:
    rule, subject = key
    return RuleState(rule=rule, last_time_point=NO_TIME_POINT, **columns_of(subject))
