"""Alembic's environment: the URL comes from DB_DSN, as in production."""

import os

from alembic import context
from sqlalchemy import create_engine, pool

from journal.models import metadata


def run_offline():
    context.configure(
        url=os.environ["DB_DSN"], target_metadata=metadata, literal_binds=True, render_as_batch=True
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online():
    engine = create_engine(os.environ["DB_DSN"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
