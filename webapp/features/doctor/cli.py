"""The doctor at the shell."""

import click
from flask.cli import with_appcontext

from webapp.doors.shell import say
from webapp.features.doctor import flow


@click.command("doctor", help="Say what is unsafe or will not work with the present settings.")
@with_appcontext
def doctor() -> None:
    """Say what is unsafe or will not work; ends with 1 when something is."""
    say(flow.examine())
