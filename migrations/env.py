"""Alembic's way in: the application's own engine and tables, through Flask-Migrate."""

from alembic import context
from flask import current_app

from webapp.extensions import Base, db

with db.engine.connect() as connection:
    # In real transactions, of the kind that the database itself has: a stricter one would be
    # refused while the site is in use.
    connection.execution_options(isolation_level=connection.default_isolation_level)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
