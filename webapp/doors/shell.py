"""The shell's door: commands that say in plain words what a flow refuses."""

from typing import Any

import click
from flask.cli import AppGroup

from webapp.errors import AuthError, TemporarilyUnavailable, ValidationFailed


class Commands(AppGroup):
    """A group of commands; whatever a flow raises becomes a sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ValidationFailed as error:
            raise click.ClickException(" ".join(item.message for item in error.errors)) from None
        except TemporarilyUnavailable:
            raise click.ClickException(
                "The database does not answer, is busy, or has no tables yet. Check DATABASE_URL, "
                "then run: flask db upgrade"
            ) from None
        except AuthError as error:
            raise click.ClickException(error.message) from None
