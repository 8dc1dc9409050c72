"""What people ask of time-lapses that are acquired, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "acquisition_journal",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("height_um", sa.Double(), nullable=True),
        sa.Column("time_point", sa.Integer(), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_acquisition_journal_run", "acquisition_journal", ["run", "id"])
    op.create_index("ix_acquisition_journal_source", "acquisition_journal", ["source", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("acquisition_journal")
