"""When frames were taken and what their pixels are; what each was judged under."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TEXT: dict[str, Any] = {"nullable": False, "server_default": ""}
_NEW: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
    ("frames", "content", sa.String(), _TEXT),
    # Nothing is judged under '': what was refused before this is tried again.
    ("frames", "judged_under", sa.String(), _TEXT),
    ("frames", "retried", sa.Boolean(), {"nullable": False, "server_default": sa.false()}),
    ("refusals", "judged_under", sa.String(), _TEXT),
    ("results", "elapsed_s", sa.Double(), {"nullable": True}),
    ("fluorescence", "elapsed_s", sa.Double(), {"nullable": True}),
)


def upgrade() -> None:
    """Add the columns; rows are not rewritten, however many there are."""
    for table, name, kind, settings in _NEW:
        op.add_column(table, sa.Column(name, kind, **settings))
    op.create_index(
        "ix_frames_failed", "frames", ["settled_at"], sqlite_where=sa.text("fault = 'failed'")
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_frames_failed", "frames")
    for table, name, *_ in _NEW:
        op.drop_column(table, name)
