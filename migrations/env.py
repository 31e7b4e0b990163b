"""Alembic's way in: the application's own engine and tables, through Flask-Migrate."""

from alembic import context
from flask import current_app

from webapp.extensions import Base, db

# In real transactions, where the database can do so with tables, too.
with db.engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
