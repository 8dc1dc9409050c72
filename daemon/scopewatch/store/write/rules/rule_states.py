"""The states of alert rules, written where they changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Update, bindparam, insert, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.plate import StateKey
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.alerts.serialisation import pack_past, pack_state
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.alerts.wells import Past
from scopewatch.monitoring.history import NO_TIME_POINT
from scopewatch.store.read.stepping.rule_states import States
from scopewatch.store.schema.alert_tables import RuleState
from scopewatch.store.schema.subjects import columns_of
from scopewatch.store.schema.tables import Well

_NONE: Mapping[StateKey, Past] = MappingProxyType({})


def forget_pasts(session: Session, well: Well, time_point: int) -> None:
    """Discard what rules remember of a well, where a time point is part of it."""
    asked = {"of_run": well.run.name, "of_plate": well.plate, "of_well": well.name}
    session.execute(_forget(), asked | {"since": time_point})


@cache
def _forget() -> Update:
    return (
        update(RuleState)
        .where(
            RuleState.experiment == bindparam("of_run"),
            RuleState.plate == bindparam("of_plate"),
            RuleState.well == bindparam("of_well"),
            RuleState.last_time_point >= bindparam("since"),
            RuleState.past_until.is_not(None),
        )
        .values(past_until=None)
        .execution_options(synchronize_session=False)
    )


def keep_past(session: Session, key: StateKey, last: int, kind: RuleKind, past: Past) -> None:
    """Keep what a rule remembers of all that it has stepped over."""
    packed = pack_past(kind, past)
    _update(session, [_named(key) | {"past": packed, "past_until": last}])


def write_states(
    session: Session,
    before: States,
    after: Mapping[StateKey, AlertState],
    stepped: Mapping[StateKey, int],
    pasts: Mapping[StateKey, Past] = _NONE,
    rules: Sequence[AlertRule] = (),
) -> None:
    """Write the states that changed.

    A state of which only its last moment moved is not worth a write, unless it has stepped.

    Parameters
    ----------
    stepped
        The time point that each state has stepped over now, where it has.
    pasts, rules
        What rules remember up to there, and which these are.
    """
    kinds = {rule.name: rule.kind for rule in rules}
    # As columns, not as objects: those of a plate are hundreds, at each of its time points.
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for key, state in after.items():
        old = before.states.get(key, AlertState())
        if key not in stepped and replace(state, at=old.at) == old:
            continue
        last = max(before.last(key), stepped.get(key, NO_TIME_POINT))
        row = _named(key) | {
            "state": pack_state(state),
            "open": state.raised or state.notified is not None,
            "last_time_point": last,
        }
        if key in pasts:
            row |= {"past": pack_past(kinds[key[0]], pasts[key]), "past_until": last}
        (changed if key in before.rows else new).append(row)
    _update(session, [row for row in changed if "past" not in row])
    _update(session, [row for row in changed if "past" in row])
    if new:
        session.execute(insert(RuleState), new)


def _update(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows, named by their keys, by one statement for all of them."""
    if not rows:
        return
    columns = RuleState.__table__.c
    keys = [columns[name] for name in ("rule", "experiment", "plate", "well")]
    values = [columns[name] for name in rows[0] if not columns[name].primary_key]
    session.connection().execute(
        update(RuleState)
        .where(*(column == bindparam(f"of_{column.name}") for column in keys))
        .values({column: bindparam(f"new_{column.name}") for column in values}),
        [
            {f"of_{column.name}": row[column.name] for column in keys}
            | {f"new_{column.name}": row[column.name] for column in values}
            for row in rows
        ],
    )


def _named(key: StateKey) -> dict[str, Any]:
    rule, subject = key
    return {"rule": rule, **columns_of(subject)}
