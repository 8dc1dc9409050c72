"""Fluorescence of the final day, and what wells measure there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables."""
    op.create_table(
        "fluorescence",
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Double(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("tile_px", sa.Integer(), nullable=False),
        sa.Column("noise", sa.Double(), nullable=False),
        sa.Column("maybe", sa.LargeBinary(), nullable=False),
        sa.Column("positive", sa.LargeBinary(), nullable=False),
        sa.Column("histogram", sa.LargeBinary(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("efficiency", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["frame_id"], ["frames.id"]),
        sa.PrimaryKeyConstraint("frame_id"),
    )
    op.create_table(
        "measured_wells",
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("time_point", sa.Integer(), nullable=False),
        sa.Column("day", sa.Double(), nullable=False),
        sa.Column("efficiency", sa.Double(), nullable=False),
        sa.Column("n_sites", sa.Integer(), nullable=False),
        sa.Column("measured_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["well_id"], ["wells.id"]),
        sa.PrimaryKeyConstraint("well_id"),
    )


def downgrade() -> None:
    """Drop them, and with them what was measured."""
    op.drop_table("measured_wells")
    op.drop_table("fluorescence")
