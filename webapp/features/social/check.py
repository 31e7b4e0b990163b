"""What is wrong with a provider's settings, found before anybody who signs in does."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from config import ProviderSettings
from webapp.errors import AuthError, NotFound, ProviderError, ProviderMisconfigured
from webapp.features.social import exchange
from webapp.features.social.configured import configured, missing_settings
from webapp.features.social.provider import Provider
from webapp.features.social.providers import ANY_OIDC, DECLARATIONS
from webapp.services.findings import Finding, right, wrong
from webapp.services.parts import parts
from webapp.services.provider_http import OAuthRefusal, open_session
from webapp.services.secrets import new_secret

# Seconds that clocks may be apart before tokens are taken for not yet valid.
_MOST_APART = 60
# How providers say so; the last two are Facebook's.
_WRONG_CLIENT = (
    "invalid_client",
    "unauthorized_client",
    "incorrect_client_credentials",
    "validating client secret",
    "validating application",
)
# And how they say that the code alone is wrong.
_WRONG_CODE = ("invalid_grant", "bad_verification_code", "verification code", "invalid_code")


def check(provider_id: str) -> Iterator[Finding]:
    """Look at everything that can be looked at without a person, one finding after the other.

    :raises NotFound: when Latchkey knows no provider by this name.
    """
    settings = parts().settings
    given = settings.providers.get(provider_id)
    provider = configured(settings).get(provider_id)
    if provider is None:
        yield _what_is_missing(provider_id, given)
        return
    yield right("The settings are there.")
    yield right(f"Register this redirect URI: {exchange.callback_uri(provider)}")
    try:
        provider.registration()
    except ProviderMisconfigured as error:
        yield wrong(f"{error.cause}: set it to the whole .p8 file, which is PEM.")
        return
    yield right("The client secret can be made.")
    try:
        yield from _endpoints(provider)
        yield _client(provider)
    except AuthError as error:
        cause = error.cause if isinstance(error, ProviderError) else ""
        yield wrong(f"{provider.label} cannot be used: {cause or error.message}.")


def _what_is_missing(provider_id: str, given: ProviderSettings | None) -> Finding:
    if given is None and provider_id not in DECLARATIONS:
        raise NotFound
    declaration = ANY_OIDC if given and given.is_any_oidc else DECLARATIONS.get(provider_id)
    if declaration is None:
        raise NotFound
    names = ["client_id", *declaration.needs]
    if given:
        names = missing_settings(declaration, given)
    prefix = "OIDC_" if given and given.is_any_oidc else ""
    listed = ", ".join(f"{prefix}{provider_id}_{name}".upper() for name in names)
    return wrong(f"Not shown to anybody, for want of: {listed}.")


def _endpoints(provider: Provider) -> Iterator[Finding]:
    where = provider.issuer
    if provider.declaration.api is None:
        metadata = parts().openid.discover(provider.issuer)
        where = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        yield right(f"Its discovery document is there, of {metadata.issuer}.")
    yield _clock(where)


def _clock(where: str) -> Finding:
    with open_session() as session:
        date = session.get(where, withhold_token=True).headers.get("Date", "")
    try:
        apart = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return right("It does not tell the time, so the clocks could not be compared.")
    if abs(apart) <= _MOST_APART:
        return right(f"The clocks agree, to {abs(apart):.0f} seconds.")
    side = "fast" if apart > 0 else "slow"
    return wrong(f"This machine's clock is {abs(apart):.0f} seconds {side}: set it.")


def _client(provider: Provider) -> Finding:
    """Show our id and secret with a code that is made up: the code alone is to be refused."""
    try:
        exchange.try_code(provider, f"none-{new_secret()}")
    except OAuthRefusal as error:
        said = f"{error.error} {error.description}"
        if any(word in said for word in _WRONG_CLIENT):
            return wrong("It refuses the client id or the secret: compare them with it.")
        if "redirect_uri" in said:
            return wrong("It does not know the redirect URI: register it as above.")
        if any(word in said for word in _WRONG_CODE):
            return right("It takes the client id and the secret.")
        return wrong(f"It refuses them in words unknown to us: {said[:200]}.")
    return wrong("It gives tokens for a code that is made up, or answers nonsense.")
