"""Alembic's entry point; runs within the connection that `store.engine` hands over."""

from alembic import context

from scopewatch.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
