"""The Flask extensions, created unbound; the factory binds them to an application."""

from typing import Any

import click
from flask import Flask, current_app
from flask_jwt_extended import JWTManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from werkzeug.local import LocalProxy

PARTS = "latchkey"


class Base(DeclarativeBase):
    """The root of every table; constraints have names, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)
jwt = JWTManager()


class MigrationCommands(click.Command):
    """`flask db`: stands in for Flask-Migrate's group of commands until somebody runs it."""

    def make_context(
        self, info_name: str | None, args: list[str], *rest: Any, **extra: Any
    ) -> click.Context:
        """Go on as that group."""
        from flask_migrate.cli import db as group  # noqa: PLC0415 - see bind_migrations

        context: click.Context = group.make_context(info_name, args, *rest, **extra)
        return context


def bind_migrations(app: Flask, directory: str) -> None:
    """Have Flask-Migrate at hand, which is not imported before it is needed.

    A server never needs it, and with Alembic it would be a tenth of all its memory.
    """

    def bound() -> object:
        from flask_migrate import Migrate  # noqa: PLC0415

        Migrate().init_app(app, db, directory)
        return app.extensions["migrate"]

    app.extensions["migrate"] = LocalProxy(bound)
    app.cli.add_command(MigrationCommands("db", help="Perform database migrations."))


def registered_parts() -> object:
    """Return what the factory registered on the application at hand, whatever its type."""
    return current_app.extensions[PARTS]
