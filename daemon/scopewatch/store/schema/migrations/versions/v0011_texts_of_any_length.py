"""On a server paths of any length: their indexes are of hashes, since a B-tree refuses long texts.

SQLite has no such limit, and its tables stay as they are.
"""

from typing import Final

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Constraint, table and columns.
_UNIQUE: Final = (
    ("uq_refusals", "refusals", ("source", "locator")),
    ("uq_retries", "retries", ("source", "locator")),
    ("uq_acquisitions", "acquisitions", ("source", "label", "identity")),
    ("uq_acquisition_numbers", "acquisitions", ("source", "label", "number")),
)


def upgrade() -> None:
    """Put indexes of hashes in the place of those that refuse long texts."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for name, table, columns in _UNIQUE:
        together = ", ".join(f"CAST({each} AS TEXT)" for each in columns)
        op.drop_constraint(name, table)
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name}"
            f" EXCLUDE USING hash ((ARRAY[{together}]) WITH =)"
        )
    op.drop_index("ix_frames_locator", "frames")
    for table in ("frames", "refusals"):
        op.create_index(f"ix_{table}_locator_hash", table, ["locator"], postgresql_using="hash")


def downgrade() -> None:
    """Put back those of before; that fails where a text is too long for them."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in ("frames", "refusals"):
        op.drop_index(f"ix_{table}_locator_hash", table)
    op.create_index("ix_frames_locator", "frames", ["source", "locator"])
    for name, table, columns in _UNIQUE:
        op.drop_constraint(name, table)
        op.create_unique_constraint(name, table, list(columns))
