"""What lets a commit read as much of a long history as of a short one.

The filter of a well is stored beside each outlook, and what a rule remembers beside its state;
what a commit had no time for is noted by its well. States no longer hold every time point of a
well: the newest one is enough.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NONE: dict[str, Any] = {"nullable": True}
_NEW: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
    ("well_outlooks", "filter", sa.JSON(), _NONE),
    ("wells", "outlooks_due", sa.Integer(), _NONE),
    ("wells", "behind", sa.Boolean(), {"nullable": False, "server_default": sa.false()}),
    ("rule_states", "past", sa.JSON(), _NONE),
    ("rule_states", "past_until", sa.Integer(), _NONE),
)
_STATES = sa.table(
    "rule_states",
    *(sa.column(name) for name in ("rule", "experiment", "plate", "well", "state")),
)


def upgrade() -> None:
    """Add the columns, and shorten the states; other rows are not rewritten."""
    for table, name, kind, settings in _NEW:
        op.add_column(table, sa.Column(name, kind, **settings))
    op.create_index("ix_rule_states_subject", "rule_states", ["experiment", "plate", "well"])
    connection = op.get_bind()
    for *names, packed in connection.execute(sa.select(_STATES)).all():
        state = json.loads(packed)
        points = state.get("last", {}).get("evidence", {}).get("points", ())
        if len(points) <= 1:
            continue
        state["last"]["evidence"]["points"] = points[-1:]
        columns = zip(_STATES.columns, names, strict=False)
        connection.execute(
            sa.update(_STATES)
            .where(*(column == name for column, name in columns))
            .values(state=json.dumps(state))
        )


def downgrade() -> None:
    """Drop them; states stay short."""
    op.drop_index("ix_rule_states_subject", "rule_states")
    for table, name, *_ in _NEW:
        op.drop_column(table, name)
