"""Accounts from the shell."""

from collections.abc import Callable

import click

from webapp.doors.shell import Commands
from webapp.errors import NotFound
from webapp.features.users import flow
from webapp.services.client import Client
from webapp.services.records import Account

user = Commands("user", help="Accounts.")

SHELL = Client(ip="", user_agent="command line")


@user.command("create")
@click.option("--email", required=True, help="The address to sign in with.")
@click.option(
    "--password",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for when not given, which keeps it out of the shell's history.",
)
@click.option("--role", default="user", show_default=True, help="A role, such as admin.")
@click.option("--verified", is_flag=True, help="Take the address as proved.")
def create(email: str, password: str, role: str, verified: bool) -> None:
    """Make an account."""
    account = flow.create_user(flow.NewUser(email, password, (role,), verified), SHELL)
    click.echo(f"Created {account.email} ({account.id}).")
    if not account.email_verified:
        click.echo("A link to confirm the address is in the outbox.")


@user.command("list")
def list_users() -> None:
    """List the accounts, oldest first."""
    for account in flow.list_users():
        state = "disabled" if account.is_disabled else "open"
        proof = "verified" if account.email_verified else "not verified"
        click.echo(f"{account.id}  {account.email}  {','.join(account.roles)}  {proof}  {state}")


@user.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Shut an account and sign it out everywhere."""
    account = _found(lambda: flow.disable_user(email, SHELL))
    click.echo(f"Disabled {account.email}: signed out everywhere within about a second.")


@user.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Reopen an account."""
    click.echo(f"Enabled {_found(lambda: flow.enable_user(email, SHELL)).email}.")


@user.command("set-role")
@click.argument("email")
@click.argument("role")
def set_role(email: str, role: str) -> None:
    """Give an account one role beside `user`, in place of any others; `user` takes them away."""
    change = flow.Change(roles=(role,))
    account = _found(lambda: flow.change_user(flow.find_user(email).id, change, SHELL))
    click.echo(f"{account.email}: {', '.join(account.roles)}.")


role = Commands("role", help="Roles.")


@role.command("create")
@click.argument("name")
def create_role(name: str) -> None:
    """Add a role that can be given to accounts."""
    is_new = flow.create_role(name, SHELL)
    click.echo(f"Created the role {name}." if is_new else f"There is a role {name} already.")


def _found(work: Callable[[], Account]) -> Account:
    """Run a flow about one account and say so when there is none."""
    try:
        return work()
    except NotFound:
        raise click.ClickException("There is no account with that address.") from None
