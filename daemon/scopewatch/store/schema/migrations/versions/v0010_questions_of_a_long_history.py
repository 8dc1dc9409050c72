"""Indexes by which no question reads more of a history of many runs than of one."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _where(sqlite: str, postgresql: str | None = None) -> dict[str, Any]:
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql or sqlite)}


_NEW: tuple[tuple[str, str, list[str], dict[str, Any]], ...] = (
    ("ix_frames_settled", "frames", ["settled_at", "well_id"], {}),
    ("ix_frames_judged", "frames", ["source", "state", "judged_under"], {}),
    ("ix_frames_claimed", "frames", ["claimed_at"], _where("state = 'claimed'")),
    ("ix_refusals_recorded", "refusals", ["recorded_at"], {}),
    ("ix_refusals_fault", "refusals", ["source", "fault"], {}),
    ("ix_rule_states_open", "rule_states", ["experiment", "plate"], _where("open = 1", "open")),
    ("ix_wells_due", "wells", ["run_id"], _where("outlooks_due IS NOT NULL")),
    ("ix_wells_behind", "wells", ["run_id"], _where("behind = 1", "behind")),
    ("ix_alerts_of_run", "alerts", ["experiment", "resolved_at"], {}),
    ("ix_outbox_alert", "outbox", ["alert_id"], {}),
    ("ix_outbox_key", "outbox", ["idempotency_key"], {}),
    ("ix_outbox_errors", "outbox", ["channel", "id"], _where("last_error IS NOT NULL")),
)


def upgrade() -> None:
    """Make the indexes; one of them takes the place of an index of that name."""
    op.drop_index("ix_frames_settled", "frames")
    for name, table, columns, where in _NEW:
        op.create_index(name, table, columns, **where)


def downgrade() -> None:
    """Put back the old one."""
    for name, table, *_ in reversed(_NEW):
        op.drop_index(name, table)
    op.create_index("ix_frames_settled", "frames", ["settled_at"])
