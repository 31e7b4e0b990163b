"""What a provider does behind the scenes: knows its app again, and gives tokens for codes."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import jwt

from config import ProviderSettings
from webapp.features.pretend.clients import apple_key_of, client_of
from webapp.features.pretend.grants import Found, Grant, seal, unseal
from webapp.features.pretend.id_tokens import issue_id_token
from webapp.features.pretend.oauth import OAuthError
from webapp.features.pretend.providers import Provider
from webapp.services.parts import parts

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
# Apple's client secrets last six months at most, in seconds.
_LONGEST_SECRET = 15_777_000


@dataclass(frozen=True, slots=True)
class CodePresented:
    """What an app sends to have a code turned into tokens."""

    code: str
    redirect_uri: str
    verifier: str = ""
    grant_type: str = "authorization_code"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an app gets for a code; the id token is empty where the provider makes none."""

    access_token: str
    id_token: str
    scopes: tuple[str, ...]


def check_client(provider: Provider, client_id: str, secret: str) -> None:
    """Refuse whoever is not the registered app.

    :raises OAuthError: `invalid_client`, saying which of the two is wrong.
    """
    client = client_of(provider.name, parts().settings)
    if client_id != client.client_id:
        raise OAuthError("invalid_client", f"The client_id has to be {client.client_id}.")
    if provider.name == "apple":
        _check_apple_secret(client, secret)
    elif not hmac.compare_digest(secret.encode(), client.client_secret.get_secret_value().encode()):
        raise OAuthError("invalid_client", "The client_secret is wrong.")


def exchange(provider: Provider, presented: CodePresented) -> Tokens:
    """Return the tokens for a code.

    :raises OAuthError: when the code is none or has expired, or came about in another way.
    """
    if presented.grant_type != "authorization_code":
        raise OAuthError("unsupported_grant_type", "grant_type has to be authorization_code.")
    settings = parts().settings
    found = unseal("code", provider.name, presented.code, settings)
    if found is None:
        raise OAuthError("invalid_grant", "The code is invalid or has expired.")
    grant = found.grant
    if presented.redirect_uri != grant.redirect_uri:
        raise OAuthError("invalid_grant", "The redirect_uri is not the one that the code is for.")
    if not _is_proof(presented.verifier, grant.challenge):
        raise OAuthError("invalid_grant", "The code_verifier does not match the code_challenge.")
    makes_id_token = provider.name == "apple" or (provider.is_openid and "openid" in grant.scopes)
    return Tokens(
        access_token=seal("access token", provider.name, grant, settings),
        id_token=issue_id_token(provider.name, grant, settings) if makes_id_token else "",
        scopes=grant.scopes,
    )


def find_access_token(provider: Provider, token: str) -> Found | None:
    """Return what an access token says; None when it is no such thing, or expired."""
    return unseal("access token", provider.name, token, parts().settings)


def find_own_grant(provider: Provider, client_id: str, secret: str, token: str) -> Grant | None:
    """Return what an access token says to the app that it was given to; None to all others."""
    try:
        check_client(provider, client_id, secret)
    except OAuthError:
        return None
    found = find_access_token(provider, token)
    return found.grant if found and found.grant.client_id == client_id else None


def is_app_token(provider: Provider, token: str) -> bool:
    """Whether this is Facebook's kind of token for an app itself: `id|secret`."""
    client_id, _, secret = token.partition("|")
    try:
        check_client(provider, client_id, secret)
    except OAuthError:
        return False
    return True


def is_app_proof(provider: Provider, proof: str, token: str) -> bool:
    """Whether a proof shows that it is the app itself that uses an access token (Facebook)."""
    secret = client_of(provider.name, parts().settings).client_secret.get_secret_value()
    expected = hmac.digest(secret.encode(), token.encode(), "sha256").hex()
    return hmac.compare_digest(expected.encode(), proof.encode())


def _is_proof(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier is the one behind the challenge (RFC 7636, 4.6)."""
    if not challenge:
        # A verifier without a challenge means that somebody has taken it away (RFC 9700, 4.8.2).
        return not verifier
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(urlsafe_b64encode(digest).decode().rstrip("="), challenge)


def _check_apple_secret(client: ProviderSettings, secret: str) -> None:
    """Check the JWT that stands for Apple's client secret, as its documentation describes it."""
    try:
        kid = jwt.get_unverified_header(secret).get("kid")
        claims = jwt.decode(
            secret,
            apple_key_of(parts().settings).public_key(),
            algorithms=["ES256"],
            issuer=client.team_id,
            subject=client.client_id,
            audience=client.issuer,
            options={"require": ["iss", "sub", "aud", "iat", "exp"]},
        )
    except jwt.InvalidTokenError as error:
        raise OAuthError("invalid_client", f"The client_secret: {error}.") from None
    if kid != client.key_id:
        raise OAuthError("invalid_client", f"The client_secret’s kid has to be {client.key_id}.")
    if claims["exp"] - claims["iat"] > _LONGEST_SECRET:
        raise OAuthError("invalid_client", "The client_secret lasts longer than six months.")
