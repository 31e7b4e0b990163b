"""The providers: each one small declaration. A new one is an entry here and nothing else.

An OpenID provider is found by its discovery document and tells who somebody is in an id token. The
others have endpoints of their own, an access token, and an API that is asked with it.
"""

import hmac
import time
from typing import Any

import jwt

from config import ProviderSettings
from webapp.errors import (
    PermissionMissing,
    ProviderMisconfigured,
    ProviderTokenInvalid,
    ProviderUnavailable,
)
from webapp.features.social.identity import Identity, make_identity
from webapp.features.social.provider import Api, Claims, Declaration, Registration
from webapp.services.provider_http import json_of, open_session


def apple_secret(given: ProviderSettings, issuer: str) -> str:
    """Make Apple's client secret: a JWT of five minutes, signed with our key at Apple.

    https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret

    :raises ProviderMisconfigured: when the key is none, or of another kind.
    """
    now = int(time.time())
    claims = {
        "iss": given.team_id,
        "sub": given.client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + 300,
    }
    key = given.private_key.get_secret_value()
    try:
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": given.key_id})
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
        # An AttributeError: a public key cannot sign.
        name = type(error).__name__
        raise ProviderMisconfigured(f"APPLE_PRIVATE_KEY cannot sign ({name})") from None


def is_microsoft_issuer(issuer: str, claims: Claims) -> bool:
    """Whether a token is of the tenant that it names: the common endpoint serves them all."""
    return bool(claims["iss"] == issuer.replace("{tenantid}", str(claims.get("tid"))))


def _facebook_identity(us: Registration, access_token: str) -> Identity:
    proof = hmac.digest(us.client_secret.encode(), access_token.encode(), "sha256").hex()
    person = _ask(
        f"{_graph(us.issuer)}/me",
        params={"fields": "id,name,email", "appsecret_proof": proof},
        headers={"Authorization": f"Bearer {access_token}"},
    )
    # Facebook gives an address once it is confirmed, and none before.
    email, name = person.get("email"), person.get("name")
    return make_identity("facebook", _id(person), email, True, name)


def _check_facebook_token(us: Registration, access_token: str) -> None:
    try:
        answer = _ask(
            f"{_graph(us.issuer)}/debug_token",
            params={"input_token": access_token},
            headers={"Authorization": f"Bearer {us.client_id}|{us.client_secret}"},
        )
    except ProviderTokenInvalid as error:
        # Of the token that is asked about, it tells in its answer; this is about ours.
        raise ProviderMisconfigured(error.cause) from None
    data = answer.get("data") or {}
    if not data.get("is_valid") or str(data.get("app_id")) != us.client_id:
        raise ProviderTokenInvalid("Facebook says that the token is not valid, or not for us")


def _graph(base: str) -> str:
    return base.replace("//www.facebook.com", "//graph.facebook.com")


def _github_identity(us: Registration, access_token: str) -> Identity:
    base = us.issuer.replace("//github.com", "//api.github.com")
    headers = {"Authorization": f"Bearer {access_token}"}
    person = _ask(f"{base}/user", headers=headers)
    try:
        addresses = _ask(f"{base}/user/emails", headers=headers)
    except PermissionMissing:
        addresses = []
    primary: Claims = next((item for item in addresses if item.get("primary")), {})
    return make_identity(
        "github",
        _id(person),
        primary.get("email"),
        primary.get("verified") is True,
        person.get("name") or person.get("login"),
    )


def _check_github_token(us: Registration, access_token: str) -> None:
    base = us.issuer.replace("//github.com", "//api.github.com")
    with open_session() as session:
        answer = session.post(
            f"{base}/applications/{us.client_id}/token",
            auth=(us.client_id, us.client_secret),
            json={"access_token": access_token},
            withhold_token=True,
        )
    if answer.status_code == 401:
        raise ProviderMisconfigured("GitHub takes neither our client id nor the secret")
    if answer.status_code != 200 or json_of(answer).get("app", {}).get("client_id") != us.client_id:
        raise ProviderTokenInvalid(f"GitHub answers {answer.status_code}: the token is not for us")


def _id(person: Claims) -> str:
    """Return somebody's id, which is a number at GitHub; a KeyError when there is none."""
    found = person["id"]
    if not isinstance(found, int | str) or not found:
        raise KeyError("id")
    return str(found)


def _ask(url: str, **kwargs: Any) -> Any:
    """Ask a provider's API something on behalf of whoever an access token is from."""
    with open_session() as session:
        answer = session.get(url, withhold_token=True, **kwargs)
    if answer.status_code in (400, 401):
        raise ProviderTokenInvalid(f"{url} answers {answer.status_code}")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and answer.status_code == 403:
        raise ProviderUnavailable(f"{url} has had enough requests for now")
    if answer.status_code in (403, 404):
        raise PermissionMissing(f"{url} answers {answer.status_code}")
    return json_of(answer)


DECLARATIONS = {
    "google": Declaration(
        label="Google",
        issuer="https://accounts.google.com",
        scope="openid email profile",
        is_issuer=lambda issuer, claims: claims["iss"] in (issuer, issuer.partition("//")[2]),
    ),
    "apple": Declaration(
        label="Apple",
        issuer="https://appleid.apple.com",
        scope="name email",
        takes_pkce=False,
        posts_reply=True,
        needs=("team_id", "key_id", "private_key"),
        make_secret=apple_secret,
    ),
    "facebook": Declaration(
        label="Facebook",
        issuer="https://www.facebook.com",
        scope="public_profile email",
        api=Api(
            asks_at=lambda base: f"{base}/dialog/oauth",
            issues_at=lambda base: f"{_graph(base)}/oauth/access_token",
            identify=_facebook_identity,
            check_token=_check_facebook_token,
        ),
    ),
    "github": Declaration(
        label="GitHub",
        issuer="https://github.com",
        scope="read:user user:email",
        api=Api(
            asks_at=lambda base: f"{base}/login/oauth/authorize",
            issues_at=lambda base: f"{base}/login/oauth/access_token",
            identify=_github_identity,
            check_token=_check_github_token,
        ),
    ),
    "microsoft": Declaration(
        label="Microsoft",
        issuer="https://login.microsoftonline.com/common/v2.0",
        scope="openid email profile",
        is_issuer=is_microsoft_issuer,
        # The administrator of any tenant can write any address into `email`; this says that the
        # domain is theirs. https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
        is_email_verified=lambda claims: claims.get("xms_edov") in (True, 1, "1", "true"),
    ),
}

# Whatever OIDC_<NAME>_* describes. Never a shared secret's algorithm: a public key is none.
ANY_OIDC = Declaration(
    label="",
    issuer="",
    scope="openid email profile",
    algorithms=("RS256", "PS256", "ES256", "ES384", "EdDSA"),
)
