"""Housekeeping from the shell; every command may run twice at once."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from webapp.doors.shell import Commands
from webapp.features.ops import flow
from webapp.services.parts import parts

sessions = Commands("sessions", help="Sign-ins.")
accounts = Commands("accounts", help="Accounts that their owners deleted.")
mail = Commands("mail", help="The outbox.")
audit = Commands("audit", help="The audit trail.")


@audit.command("export")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="A day (UTC), such as 2026-11-21.")
def export_audit(since: datetime | None) -> None:
    """Write the audit trail to standard output, one JSON object a line, the newest first."""
    for event in flow.export_events(since.replace(tzinfo=UTC) if since else None):
        line = asdict(event) | {"at": event.at.isoformat().replace("+00:00", "Z")}
        click.echo(json.dumps(line, ensure_ascii=False))


@sessions.command("prune")
def prune() -> None:
    """Delete sessions that ended or expired over eight days ago."""
    click.echo(f"{flow.prune_sessions()} sessions deleted.")


@sessions.command("move")
@click.option("--to", "to", type=click.Choice(["sql", "redis"]), required=True)
def move(to: str) -> None:
    """Copy the living sessions to another store; delete them here once the site runs on that."""
    if not parts().settings.redis_url:
        raise click.ClickException("REDIS_URL is not set: set it to where Redis is.")
    moved = flow.move_sessions(to)
    click.echo(f"{moved.seen} sessions found, {moved.news} of them new or further on there.")
    if moved.is_final:
        click.echo("They are deleted from where they were.")
    else:
        click.echo(
            f"They are copied. Set SESSION_STORE={to}, restart the site, and run this once more."
        )


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
    if parts().mail_transport is None:
        raise click.ClickException("SMTP_URL is not set: mail stays in the outbox. Set it first.")
    tally = flow.deliver_mail()
    click.echo(f"{tally.delivered} delivered, {tally.failed} to be tried again or given up.")
