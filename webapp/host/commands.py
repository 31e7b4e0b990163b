"""Latchkey's commands in the host's shell: `flask latchkey user create …`."""

import click
from flask import Flask


def commands_of(latchkey: Flask) -> click.Group:
    """Return a group with all commands of a Latchkey application, which run in its context."""

    @click.group("latchkey", help="Accounts, mail and tables of the sign-in.")
    @click.pass_context
    def group(context: click.Context) -> None:
        context.with_resource(latchkey.app_context())

    for name, command in latchkey.cli.commands.items():
        group.add_command(command, name)
    return group
