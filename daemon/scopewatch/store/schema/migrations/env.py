"""Alembic's entry point; runs within the connection that `store.schema.engine` passes on."""

from alembic import context

# Each enters its tables.
from scopewatch.store.schema import (
    alert_tables,  # noqa: F401
    picture_tables,  # noqa: F401
    tables,  # noqa: F401
    well_tables,  # noqa: F401
)
from scopewatch.store.schema.columns import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
