"""Alerts of wells, plates and the monitor itself; estimates with trend, and forecasts.

Alerts and the states of rules named their well by number. Their subject is now written out as
experiment, plate and well, where '' means the whole of what comes before it. What was recorded
of existing alerts is kept.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KIND = "weak-now"


def upgrade() -> None:
    """Make the new tables, move the rows over, and drop the old ones."""
    op.create_table(
        "well_outlooks",
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("time_point", sa.Integer(), nullable=False),
        sa.Column("day", sa.Double(), nullable=False),
        sa.Column("now_day", sa.Double(), nullable=False),
        sa.Column("now", sa.Double(), nullable=False),
        sa.Column("now_low", sa.Double(), nullable=False),
        sa.Column("now_high", sa.Double(), nullable=False),
        sa.Column("trend_per_day", sa.Double(), nullable=False),
        sa.Column("trend_half_width", sa.Double(), nullable=False),
        sa.Column("final_day", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("half_width", sa.Double(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=True),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["well_id"], ["wells.id"]),
        sa.PrimaryKeyConstraint("well_id", "time_point"),
    )
    op.create_table(
        "signs_of_life",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _move_states()
    _move_alerts()


def _move_states() -> None:
    op.create_table(
        "rule_states",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("well", sa.String(), nullable=False),
        sa.Column("last_time_point", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "experiment", "plate", "well"),
    )
    connection = op.get_bind()
    for row in (
        connection.execute(
            sa.text(
                "SELECT s.rule, r.name AS experiment, w.plate, w.name AS well, s.last_time_point,"
                " s.raised, s.streak, a.severity, a.raised_at FROM alert_states s"
                " JOIN wells w ON w.id = s.well_id JOIN runs r ON r.id = w.run_id"
                " LEFT JOIN alerts a ON a.id = (SELECT max(id) FROM alerts"
                " WHERE well_id = s.well_id AND rule = s.rule)"
            )
        )
        .mappings()
        .all()
    ):
        connection.execute(
            sa.text(
                "INSERT INTO rule_states"
                " (rule, experiment, plate, well, last_time_point, open, state)"
                " VALUES (:rule, :experiment, :plate, :well, :last_time_point, :raised, :state)"
            ),
            {
                **{name: row[name] for name in ("rule", "experiment", "plate", "well")},
                **{name: row[name] for name in ("last_time_point", "raised")},
                "state": json.dumps(_state(row)),
            },
        )
    op.drop_table("alert_states")


def _move_alerts() -> None:
    """Rewrite alerts, and the outbox that refers to them.

    SQLite drops no column that a foreign key uses, and drops no table that rows refer to: both
    tables are written beside the old ones, which go in the order of their references.
    """
    op.create_table(
        "alerts_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("well", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("raised_time_point", sa.Integer(), nullable=True),
        sa.Column("raised_day", sa.Double(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        sa.Column("resolved_time_point", sa.Integer(), nullable=True),
        sa.Column("resolved_day", sa.Double(), nullable=True),
        sa.Column("resolution", sa.JSON(), nullable=True),
        sa.Column("acked_at", sa.DateTime(), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    connection = op.get_bind()
    for row in (
        connection.execute(
            sa.text(
                "SELECT a.*, r.name AS experiment, w.plate, w.name AS well,"
                " e.low AS raised_low, e.high AS raised_high, f.low AS resolved_low,"
                " f.high AS resolved_high FROM alerts a"
                " JOIN wells w ON w.id = a.well_id JOIN runs r ON r.id = w.run_id"
                " LEFT JOIN well_estimates e ON e.well_id = a.well_id"
                " AND e.time_point = a.raised_time_point"
                " LEFT JOIN well_estimates f ON f.well_id = a.well_id"
                " AND f.time_point = a.resolved_time_point ORDER BY a.id"
            )
        )
        .mappings()
        .all()
    ):
        connection.execute(sa.text(_INSERT_ALERT), _alert(row))
    op.create_table(
        "outbox_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("abandoned_at", sa.DateTime(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts_new.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "idempotency_key", name="uq_outbox"),
    )
    op.execute("INSERT INTO outbox_new SELECT * FROM outbox")
    op.drop_table("outbox")
    op.drop_table("alerts")
    # SQLite lets the reference follow the new name.
    op.rename_table("alerts_new", "alerts")
    op.rename_table("outbox_new", "outbox")
    op.create_index("ix_alerts_subject", "alerts", ["experiment", "plate", "well", "rule"])
    op.create_index("ix_alerts_open", "alerts", ["resolved_at"])
    op.create_index("ix_outbox_waiting", "outbox", ["done_at", "abandoned_at", "channel"])


_ALERT_COLUMNS = (
    *("id", "experiment", "plate", "well", "rule", "kind", "severity"),
    *("raised_at", "raised_time_point", "raised_day", "evidence", "escalated_at"),
    *("resolved_at", "resolved_time_point", "resolved_day", "resolution"),
    *("acked_at", "snoozed_until"),
)
_INSERT_ALERT = (
    f"INSERT INTO alerts_new ({', '.join(_ALERT_COLUMNS)})"  # noqa: S608 - names of our own
    f" VALUES ({', '.join(f':{name}' for name in _ALERT_COLUMNS)})"
)


def _state(row: Any) -> dict[str, Any]:
    """Return a rule's state as `serialisation.pack_state` wrote it when this was the schema."""
    state: dict[str, Any] = {"streak": row["streak"]} if row["streak"] else {}
    if row["raised_at"] is not None:
        # The cooldown runs from when it was last raised, whether or not it still is.
        state["said_at"] = _utc(row["raised_at"])
    if row["raised"]:
        severity = row["severity"] or "warning"
        state |= {"raised": True, "severity": severity, "said": severity}
    return state


def _alert(row: Any) -> dict[str, Any]:
    """Return the new columns of an alert, with what it was raised and resolved on as evidence."""
    kept = {name: row[name] for name in _ALERT_COLUMNS if name in row}
    resolution = None
    if row["resolved_at"] is not None:
        resolution = json.dumps(_evidence(row, "resolved"))
    return kept | {
        "kind": _KIND,
        "evidence": json.dumps(_evidence(row, "raised")),
        "escalated_at": None,
        "resolution": resolution,
    }


def _evidence(row: Any, when: str) -> dict[str, Any]:
    """Return evidence as `serialisation.pack_evidence` wrote it when this was the schema."""
    value = row[f"{when}_efficiency"]
    low, high = row[f"{when}_low"], row[f"{when}_high"]
    now = {"value": value, "low": value, "high": value}
    # The estimate may have changed since: then its interval is not the one of that moment.
    if low is not None and high is not None and low <= value <= high:
        now |= {"low": low, "high": high}
    return {"now": now, "target": row["target"]}


def _utc(text: str) -> str:
    return f"{text.replace(' ', 'T')}Z"
