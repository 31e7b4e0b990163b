"""Housekeeping from the shell; every command may run twice at once."""

import click

from webapp.doors.shell import Commands
from webapp.features.ops import flow
from webapp.services.parts import parts

sessions = Commands("sessions", help="Sign-ins.")
mail = Commands("mail", help="The outbox.")


@sessions.command("prune")
def prune() -> None:
    """Delete sessions that ended or expired over a day ago."""
    click.echo(f"{flow.prune_sessions()} sessions deleted.")


@mail.command("deliver")
def deliver() -> None:
    """Deliver the mail whose time has come."""
    if not parts().settings.smtp_url.get_secret_value():
        raise click.ClickException("SMTP_URL is not set: mail stays in the outbox. Set it first.")
    tally = flow.deliver_mail()
    click.echo(f"{tally.delivered} delivered, {tally.failed} to be tried again or given up.")
