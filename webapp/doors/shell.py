"""The shell's door: commands that say in plain words what a flow refuses."""

from collections.abc import Iterable
from typing import Any

import click
from flask.cli import AppGroup

from webapp.errors import AuthError, TemporarilyUnavailable, ValidationFailed
from webapp.services.findings import Finding


def say(findings: Iterable[Finding]) -> None:
    """Write down each finding as it comes; with anything wrong, the command ends with 1."""
    is_fine = True
    for finding in findings:
        click.echo(f"{finding.level:5}  {finding.sentence}")
        is_fine = is_fine and finding.level != "WRONG"
    if not is_fine:
        raise click.exceptions.Exit(1)


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
                "The database does not answer, is busy, or has no tables yet; or Redis does not, "
                "where it keeps the sessions. Check DATABASE_URL and REDIS_URL, then run: flask "
                "db upgrade"
            ) from None
        except AuthError as error:
            raise click.ClickException(error.message) from None
