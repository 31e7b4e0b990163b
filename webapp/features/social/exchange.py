"""To a provider and back: authorization code with PKCE (RFC 6749, 7636, 9700), by Authlib."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from webapp.errors import (
    AttemptExpired,
    PermissionMissing,
    ProviderCancelled,
    ProviderClockOff,
    ProviderError,
    ProviderMisconfigured,
    ProviderTokenInvalid,
    ProviderUnavailable,
    RedirectUriWrong,
)
from webapp.features.social.identity import Identity, clean_name, make_identity
from webapp.features.social.provider import Provider, Registration
from webapp.services.openid import Expected
from webapp.services.parts import parts
from webapp.services.provider_http import OAuthRefusal, json_of, open_session
from webapp.services.secrets import derive_key

if TYPE_CHECKING:
    from webapp.services.provider_session import ProviderSession

# What providers call it when somebody says no.
_CANCELLED = {"access_denied", "user_cancelled_authorize", "user_denied"}
_PERMISSIONS = {"invalid_scope", "consent_required", "interaction_required", "insufficient_scope"}
# What Authlib raises where a token endpoint answers in JSON of another shape, or in none.
_NO_TOKEN_REPLY = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError)
_DOWN = {"server_error", "temporarily_unavailable"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider sends a browser back with."""

    state: str
    code: str = ""
    error: str = ""
    error_description: str = ""
    issuer: str | None = None
    # Apple's word on somebody's name, the first time only.
    name: str = ""


def callback_uri(provider: Provider) -> str:
    """Return the address that is registered at the provider."""
    return f"{parts().settings.root_url}/auth/{provider.id}/callback"


def authorization_url(provider: Provider, state: str, is_again: bool = False) -> str:
    """Return where to send somebody to prove who they are.

    :param is_again: have them show it again, though they are signed in there.
    :raises ProviderUnavailable: when the provider cannot be asked for its endpoints.
    """
    declared, us = provider.declaration, provider.registration()
    extra: dict[str, str] = {}
    if declared.api is None:
        extra["nonce"] = _nonce(state)
    if declared.posts_reply:
        extra["response_mode"] = "form_post"
    if is_again:
        extra |= {"prompt": "login", "max_age": "0"}
    with _session(provider, us) as session:
        url, _ = session.create_authorization_url(
            _endpoints(provider)[0],
            state=state,
            code_verifier=_verifier(state) if declared.takes_pkce else None,
            **extra,
        )
    return str(url)


def exchange(provider: Provider, reply: Reply) -> Identity:
    """Return who came back from a provider.

    :raises ProviderError: when the provider says no, or what it sends is not what it should be.
    """
    if reply.error or not reply.code:
        raise _refusal(reply.error or "no code", reply.error_description)
    _check_sender(provider, reply)
    identity = _identify(provider, _token(provider, reply), reply.state)
    return replace(identity, name=identity.name or clean_name(reply.name))


def _check_sender(provider: Provider, reply: Reply) -> None:
    """Make sure that the code is from the provider that was asked (RFC 9207)."""
    if provider.declaration.api:
        return
    metadata = parts().openid.discover(provider.issuer)
    if reply.issuer != metadata.issuer and (reply.issuer is not None or metadata.names_itself):
        raise ProviderTokenInvalid(f"the reply is from {reply.issuer!r}")


def try_code(provider: Provider, code: str, state: str = "") -> Mapping[str, Any]:
    """Ask a provider for the tokens that a code stands for.

    :raises OAuthRefusal: when it refuses.
    :raises ProviderUnavailable: when it does not answer, or not in JSON.
    """
    verifier = {"code_verifier": _verifier(state)} if provider.declaration.takes_pkce else {}
    with _session(provider, provider.registration()) as session:
        try:
            found = session.fetch_token(
                _endpoints(provider)[1],
                grant_type="authorization_code",
                code=code,
                redirect_uri=callback_uri(provider),
                **verifier,
            )
            return dict(found)
        except _NO_TOKEN_REPLY as error:
            raise ProviderUnavailable(f"no token but {type(error).__name__}") from None


def _token(provider: Provider, reply: Reply) -> Mapping[str, Any]:
    try:
        return try_code(provider, reply.code, reply.state)
    except OAuthRefusal as error:
        raise _refusal(str(error.error), str(error.description)) from None


def _identify(provider: Provider, token: Mapping[str, Any], state: str) -> Identity:
    access_token = token.get("access_token")
    api = provider.declaration.api
    if api:
        if not isinstance(access_token, str):
            raise ProviderUnavailable("there is no access token")
        return identify_by_api(provider, access_token)
    id_token = token.get("id_token")
    if not isinstance(id_token, str):
        raise ProviderUnavailable("there is no id token")
    us = provider.registration()
    ours = replace(us, audience=(us.client_id,))
    identity = read_id_token(provider, ours, id_token, [_nonce(state)])
    address = parts().openid.discover(provider.issuer).userinfo_endpoint
    if identity.email is None and address and isinstance(access_token, str):
        return _with_userinfo(provider, address, access_token, identity)
    return identity


def _with_userinfo(
    provider: Provider, address: str, access_token: str, identity: Identity
) -> Identity:
    """Ask for the address where the id token holds none (OpenID Connect Core 1.0, 5.3)."""
    headers = {"Authorization": f"Bearer {access_token}"}
    with open_session() as session:
        answer = session.get(address, headers=headers, withhold_token=True)
    if answer.status_code != 200:
        return identity
    claims = json_of(answer)
    # Another person's answer could be slipped in (5.3.4).
    if not isinstance(claims, dict) or claims.get("sub") != identity.subject:
        raise ProviderTokenInvalid("the userinfo is about somebody else")
    is_verified = provider.declaration.is_email_verified(claims)
    name = identity.name or claims.get("name")
    found = make_identity(provider.id, identity.subject, claims.get("email"), is_verified, name)
    return replace(found, authenticated_at=identity.authenticated_at)


def read_id_token(
    provider: Provider, us: Registration, encoded: str, nonces: list[str]
) -> Identity:
    """Return who an id token is about.

    :param us: its audience is what the token may be for.
    :raises ProviderTokenInvalid: when anything about it is not as it has to be.
    """
    openid = parts().openid
    metadata = openid.discover(provider.issuer)
    declared = provider.declaration
    expected = Expected(
        is_issuer=lambda claims: declared.is_issuer(metadata.issuer, claims),
        audience=us.audience,
        algorithms=declared.algorithms,
        jwks_uri=metadata.jwks_uri,
    )
    claims = openid.read_id_token(encoded, expected, nonces)
    is_verified = declared.is_email_verified(claims)
    found = make_identity(
        provider.id, claims["sub"], claims.get("email"), is_verified, claims.get("name")
    )
    auth_time = claims.get("auth_time")
    return replace(found, authenticated_at=auth_time if isinstance(auth_time, int) else None)


def identify_native(
    provider: Provider, id_token: str | None, access_token: str | None, nonce: str | None
) -> Identity:
    """Return whose token a native app holds.

    :raises ProviderTokenInvalid: when it is not theirs, not for us, or too old.
    """
    us = provider.registration()
    api = provider.declaration.api
    if api:
        with _sense_of_its_api():
            api.check_token(us, access_token or "")
        return identify_by_api(provider, access_token or "")
    # Apple's own libraries want the nonce hashed, and the token then holds the hash.
    nonces = [nonce, sha256(nonce.encode()).hexdigest()] if nonce else []
    try:
        return read_id_token(provider, us, id_token or "", nonces)
    except ProviderClockOff as error:
        # However old a token is that an app has kept, our clocks are not to blame.
        raise ProviderTokenInvalid(error.cause) from None


def identify_by_api(provider: Provider, access_token: str) -> Identity:
    """Return whose access token this is, as the provider's API has it."""
    api = provider.declaration.api
    with _sense_of_its_api():
        return api.identify(provider.registration(), access_token)  # type: ignore[union-attr]


@contextmanager
def _sense_of_its_api() -> Iterator[None]:
    """Take an answer of another shape than an API's for none."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise ProviderUnavailable(f"its API answers nonsense: {type(error).__name__}") from None


def _endpoints(provider: Provider) -> tuple[str, str]:
    """Return where the provider asks people, and where it issues tokens."""
    api = provider.declaration.api
    if api:
        return api.asks_at(provider.issuer), api.issues_at(provider.issuer)
    metadata = parts().openid.discover(provider.issuer)
    return metadata.authorization_endpoint, metadata.token_endpoint


def _session(provider: Provider, us: Registration) -> "ProviderSession":
    is_api = provider.declaration.api is not None
    return open_session(
        client_id=us.client_id,
        client_secret=us.client_secret,
        scope=provider.declaration.scope,
        redirect_uri=callback_uri(provider),
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post"
        if is_api
        else parts().openid.discover(provider.issuer).auth_method,
    )


def _refusal(error: str, description: str) -> ProviderError:
    """Say in our own words what a provider refused; its words go to the log alone."""
    cause = f"{error[:60]!r} {description[:200]!r}"
    if error in _CANCELLED:
        return ProviderCancelled(cause)
    if error in _PERMISSIONS:
        return PermissionMissing(cause)
    if error in _DOWN:
        return ProviderUnavailable(cause)
    if "redirect_uri" in error or "redirect_uri" in description:
        return RedirectUriWrong(cause)
    if error in ("invalid_grant", "bad_verification_code", "no code"):
        return AttemptExpired(cause)
    return ProviderMisconfigured(cause)


def _nonce(state: str) -> str:
    return _derived("nonce", state)


def _verifier(state: str) -> str:
    return _derived("code verifier", state)


def _derived(purpose: str, state: str) -> str:
    """Return 43 characters that only we can tell from a state: nothing else has to be kept."""
    key = derive_key(parts().settings.secret_key.get_secret_value(), f"provider {purpose}")
    return urlsafe_b64encode(hmac.digest(key, state.encode(), "sha256")).decode().rstrip("=")
