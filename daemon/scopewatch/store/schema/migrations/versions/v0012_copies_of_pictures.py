"""Pictures that are to be copied elsewhere, or whose copies are to be removed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    numbers = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    texts = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "pictures_due",
        sa.Column("id", numbers, primary_key=True),
        sa.Column("path", texts, nullable=False),
        sa.Column("removal", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("path", name="uq_pictures_due"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pictures_due", "pictures_due", ["removal", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("pictures_due")
