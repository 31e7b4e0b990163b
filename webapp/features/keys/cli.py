"""Signing keys from the shell."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import click

from config_values import parse_duration
from webapp import clock
from webapp.doors.shell import Commands
from webapp.features.keys import flow
from webapp.features.keys.flow import KeysRefused, KeyState
from webapp.services.client import Client

keys = Commands("keys", help="Signing keys.")

SHELL = Client(ip="", user_agent="command line")

T = TypeVar("T")


@keys.command("rotate")
@click.option("--in", "delay", help="Sign with it only after this long, such as 10m.")
def rotate(delay: str | None) -> None:
    """Make a new key, which takes over within ten seconds; the present one verifies on."""
    key = _run(lambda: flow.rotate(_duration(delay), SHELL))
    click.echo(f"{key.kid} is published now, and signs from {flow.as_text(key.signs_from)}.")
    click.echo("The keys before it verify until they are retired. See: flask keys list")


@keys.command("list")
def list_keys() -> None:
    """List the keys, the newest last: id, what it does, and where it comes from."""
    for state in flow.list_keys():
        click.echo(f"{state.key.kid}  {_describe(state)}  {state.key.source}")


@keys.command("retire")
@click.argument("kid")
@click.option("--now", "is_at_once", is_flag=True, help="Although tokens that it signed are about.")
def retire(kid: str, is_at_once: bool) -> None:
    """Delete a key once the last token that it signed has expired."""
    _run(lambda: flow.retire(kid, is_at_once, SHELL))
    click.echo(f"{kid} is retired: it verifies nothing any more within a few seconds.")


def _describe(state: KeyState) -> str:
    now = clock.now()
    if state.is_signing:
        return "signs"
    if state.key.signs_from > now:
        return f"signs from {flow.as_text(state.key.signs_from)}"
    if state.needed_until is None or state.needed_until > now:
        until = f", needed until {flow.as_text(state.needed_until)}" if state.needed_until else ""
        return f"verifies{until}"
    return "verifies, can be retired"


def _duration(written: str | None) -> timedelta | None:
    """Read a duration as the settings are written."""
    if written is None:
        return None
    try:
        duration: timedelta = parse_duration(written)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--in") from None
    return duration


def _run(work: Callable[[], T]) -> T:
    try:
        return work()
    except KeysRefused as error:
        raise click.ClickException(str(error)) from None
