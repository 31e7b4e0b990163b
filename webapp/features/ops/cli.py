"""Housekeeping from the shell; every command may run twice at once."""

import click

from webapp.doors.shell import Commands
from webapp.features.ops import flow
from webapp.services.parts import parts

sessions = Commands("sessions", help="Sign-ins.")
accounts = Commands("accounts", help="Accounts that their owners deleted.")
mail = Commands("mail", help="The outbox.")


@sessions.command("prune")
def prune() -> None:
    """Delete sessions that ended or expired over eight days ago."""
    click.echo(f"{flow.prune_sessions()} sessions deleted.")


@accounts.command("prune")
def prune_accounts() -> None:
    """Erase the accounts that their owners deleted over 14 days ago."""
    click.echo(f"{flow.prune_accounts()} accounts erased.")


@mail.command("list")
@click.option("--failed", is_flag=True, help="Only what failed and is not delivered.")
def list_mail(failed: bool) -> None:
    """List the newest messages, with what the mail server said."""
    for message in flow.list_mail(failed):
        if message.delivered_at:
            state = "delivered"
        elif message.due_at:
            state = f"waiting, {message.attempts} tries"
        else:
            state = f"given up after {message.attempts} tries" if message.attempts else "kept"
        created_at = message.created_at.isoformat(timespec="seconds")
        click.echo(f"{created_at}  {message.recipient}  {message.subject}  {state}")
        if message.last_error and not message.delivered_at:
            click.echo(f"    {message.last_error}")


@mail.command("deliver")
def deliver() -> None:
    """Deliver the mail whose time has come."""
    if not parts().settings.smtp_url.get_secret_value():
        raise click.ClickException("SMTP_URL is not set: mail stays in the outbox. Set it first.")
    tally = flow.deliver_mail()
    click.echo(f"{tally.delivered} delivered, {tally.failed} to be tried again or given up.")
