"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "refusals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("locator", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "locator", name="uq_refusals"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("first_frame_at", sa.DateTime(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "wells",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("plate", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "plate", "name", name="uq_wells"),
    )
    op.create_table(
        "alert_states",
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("last_time_point", sa.Integer(), nullable=False),
        sa.Column("raised", sa.Boolean(), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["well_id"],
            ["wells.id"],
        ),
        sa.PrimaryKeyConstraint("well_id", "rule"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("target", sa.Double(), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("raised_time_point", sa.Integer(), nullable=False),
        sa.Column("raised_day", sa.Double(), nullable=False),
        sa.Column("raised_efficiency", sa.Double(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        sa.Column("resolved_time_point", sa.Integer(), nullable=True),
        sa.Column("resolved_day", sa.Double(), nullable=True),
        sa.Column("resolved_efficiency", sa.Double(), nullable=True),
        sa.Column("acked_at", sa.DateTime(), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["well_id"],
            ["wells.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alerts_well_rule", "alerts", ["well_id", "rule"], unique=False)
    op.create_table(
        "outbox",
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
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "idempotency_key", name="uq_outbox"),
    )
    op.create_index(
        "ix_outbox_waiting", "outbox", ["done_at", "abandoned_at", "channel"], unique=False
    )
    op.create_table(
        "frames",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("site", sa.Integer(), nullable=False),
        sa.Column("time_point", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("locator", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(), nullable=False),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["well_id"],
            ["wells.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("well_id", "channel", "time_point", "site", name="uq_frames"),
    )
    op.create_index("ix_frames_locator", "frames", ["source", "locator"], unique=False)
    op.create_index("ix_frames_settled", "frames", ["settled_at"], unique=False)
    op.create_index("ix_frames_counts", "frames", ["well_id", "state", "settled_at"], unique=False)
    op.create_table(
        "well_estimates",
        sa.Column("well_id", sa.Integer(), nullable=False),
        sa.Column("time_point", sa.Integer(), nullable=False),
        sa.Column("day", sa.Double(), nullable=False),
        sa.Column("efficiency", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("n_sites", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["well_id"],
            ["wells.id"],
        ),
        sa.PrimaryKeyConstraint("well_id", "time_point"),
    )
    op.create_table(
        "results",
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("acquired_at", sa.DateTime(), nullable=True),
        sa.Column("day", sa.Double(), nullable=False),
        sa.Column("pixel_size_um", sa.Double(), nullable=True),
        sa.Column("view_um_per_px", sa.Double(), nullable=True),
        sa.Column("positive_fraction", sa.Double(), nullable=False),
        sa.Column("efficiency", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("normalise_ms", sa.Double(), nullable=False),
        sa.Column("score_ms", sa.Double(), nullable=False),
        sa.Column("total_ms", sa.Double(), nullable=False),
        sa.Column("overlay", sa.String(), nullable=False),
        sa.Column("stain", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["frame_id"],
            ["frames.id"],
        ),
        sa.PrimaryKeyConstraint("frame_id"),
    )
    op.create_index("ix_results_overlay", "results", ["overlay"], unique=False)
    op.create_table(
        "tile_scores",
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("tile_px", sa.Integer(), nullable=False),
        sa.Column("probability", sa.LargeBinary(), nullable=False),
        sa.Column("valid", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["frame_id"],
            ["results.frame_id"],
        ),
        sa.PrimaryKeyConstraint("frame_id"),
    )


def downgrade() -> None:
    """Drop every table, and with them all results."""
    op.drop_table("tile_scores")
    op.drop_table("results")
    op.drop_table("well_estimates")
    op.drop_table("frames")
    op.drop_table("outbox")
    op.drop_table("alerts")
    op.drop_table("alert_states")
    op.drop_table("wells")
    op.drop_table("runs")
    op.drop_table("refusals")
