"""What an act of a time-lapse is about, and why: a well marked dead, an image taken again."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLE = "acquisition_journal"
_NEW: tuple[tuple[str, Any], ...] = (
    ("plate", sa.String()),
    ("well", sa.String()),
    ("site", sa.Integer()),
    ("of_time_point", sa.Integer()),
    ("channel", sa.String()),
    ("reason", sa.String()),
)


def upgrade() -> None:
    """Add the columns."""
    for name, kind in _NEW:
        op.add_column(_TABLE, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name, _ in _NEW:
        op.drop_column(_TABLE, name)
