"""Alembic's entry: runs the migrations on the connection that `pipeline.storage.database` hands over."""

from alembic import context

from pipeline.storage.columns import Base
from pipeline.storage.database import VERSION_TABLE


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
