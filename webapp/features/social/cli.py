"""Providers from the shell."""

import click

from webapp.doors.shell import Commands, say
from webapp.errors import NotFound
from webapp.features.social import flow
from webapp.features.social.check import check
from webapp.features.social.providers import DECLARATIONS

social = Commands("social", help="Sign-in with providers.")


@social.command("check")
@click.argument("provider")
def check_provider(provider: str) -> None:
    """Say what is wrong with a provider's settings before any user finds out."""
    try:
        say(check(provider))
    except NotFound:
        known = sorted({*DECLARATIONS, *(found.id for found in flow.list_providers())})
        raise click.ClickException(
            f"There is no provider {provider!r}. Known: {', '.join(known)}; any other one comes "
            f"by OIDC_{provider.upper()}_ISSUER, _CLIENT_ID and _CLIENT_SECRET."
        ) from None
