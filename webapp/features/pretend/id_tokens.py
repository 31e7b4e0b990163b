"""Id tokens: signed with a key of the pretend providers' own, made on first use."""

from functools import cache
from typing import Final

import jwt

from config import INSTANCE, Settings
from webapp import clock
from webapp.features.pretend.clients import issuer_of
from webapp.features.pretend.grants import LIFETIMES, Grant
from webapp.services.keys import KeyRing, load_keys

ALGORITHM: Final = "RS256"


def issue_id_token(provider: str, grant: Grant, settings: Settings) -> str:
    """Return who somebody is, for the app that asked (OpenID Connect Core, 2)."""
    now = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "iss": issuer_of(provider, settings),
        "sub": grant.person.subject,
        "aud": grant.client_id,
        "iat": now,
        "exp": now + int(LIFETIMES["access token"].total_seconds()),
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    if grant.auth_time:
        claims["auth_time"] = grant.auth_time
    claims |= _apple_claims(grant) if provider == "apple" else google_claims(grant)
    key = signing_keys().signing
    return jwt.encode(claims, key.signs, ALGORITHM, headers={"kid": key.kid})


def google_claims(grant: Grant) -> dict[str, object]:
    """Return what Google tells of somebody, within what they were asked for."""
    claims: dict[str, object] = {}
    person = grant.person
    if "email" in grant.scopes and person.email:
        claims |= {"email": person.email, "email_verified": person.is_verified}
    if "profile" in grant.scopes and person.name:
        claims["name"] = person.name
    return claims


def _apple_claims(grant: Grant) -> dict[str, object]:
    """Apple writes its booleans as strings, and never puts the name in."""
    claims: dict[str, object] = {"nonce_supported": True}
    person = grant.person
    if "email" in grant.scopes and person.email:
        claims["email"] = person.email
        claims["email_verified"] = "true" if person.is_verified else "false"
        claims["is_private_email"] = "true" if person.is_private else "false"
    return claims


@cache
def signing_keys() -> KeyRing:
    """Return the key, which all workers find in one file, whoever of them made it first."""
    # The site's own key and its settings have nothing to do with these.
    return load_keys(Settings.model_construct(jwt_algorithm=ALGORITHM), INSTANCE / "pretend")
