"""Alembic's entry point; runs within the connection that `store.engine` hands over."""

from alembic import context

# Each enters its tables.
from scopewatch.store import alert_tables, tables, well_tables  # noqa: F401
from scopewatch.store.columns import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
