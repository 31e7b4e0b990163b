"""What a provider does in front of people: an app asks who they are, and they answer or cancel."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from webapp import clock
from webapp.errors import NotFound
from webapp.features.pretend import people
from webapp.features.pretend.clients import client_of, issuer_of
from webapp.features.pretend.grants import Grant, seal
from webapp.features.pretend.oauth import OAuthError
from webapp.features.pretend.people import Choice
from webapp.features.pretend.providers import PROVIDERS, Provider
from webapp.services.parts import parts

# Where an app on one's own machine may listen, on any port (RFC 8252, 7.3).
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?(/[\w./~%?=&+-]*)?", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class UnsafeRequest(OAuthError):
    """The request is told to the person on a page: there is no safe address to send it back to."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an app asks for, from an address that is its own."""

    provider: Provider
    client_id: str
    redirect_uri: str
    state: str = ""
    response_type: str = ""
    response_mode: str = "query"
    scopes: tuple[str, ...] = ()
    nonce: str = ""
    challenge: str = ""
    challenge_method: str = ""
    prompt: str = ""
    login_hint: str = ""
    wants_auth_time: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the app through the browser, in the address or in a form."""

    redirect_uri: str
    parameters: Mapping[str, str]
    is_form: bool

    @property
    def url(self) -> str:
        """Return the address with all of it."""
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(self.parameters)}"


def find_provider(name: str) -> Provider:
    """Return a provider that is switched on.

    :raises NotFound: when it is not, and always in production.
    """
    settings = parts().settings
    if name not in settings.fake_providers or settings.is_production:
        raise NotFound
    return PROVIDERS[name]


def read_request(provider: Provider, sent: Mapping[str, str]) -> AuthorizationRequest:
    """Return what an app asks for, once it is known whose request it is.

    :raises UnsafeRequest: when the app or its address is not the one that is registered.
    """
    settings = parts().settings
    client_id, redirect_uri = sent.get("client_id", ""), sent.get("redirect_uri", "")
    expected = client_of(provider.name, settings).client_id
    if client_id != expected:
        raise UnsafeRequest("invalid_client", f"The client_id has to be {expected}.")
    callback = f"{settings.root_url}/auth/{provider.name}/callback"
    if redirect_uri != callback and not _is_local_app(redirect_uri, settings.base_url):
        raise UnsafeRequest(
            "redirect_uri_mismatch",
            f"The redirect_uri is not one of those registered: {callback}, or this machine’s own.",
        )
    return AuthorizationRequest(
        provider=provider,
        client_id=client_id,
        redirect_uri=redirect_uri,
        state=sent.get("state", ""),
        response_type=sent.get("response_type", ""),
        response_mode=sent.get("response_mode") or "query",
        # Facebook separates with commas, the others with spaces.
        scopes=tuple(sent.get("scope", "").replace(",", " ").split()),
        nonce=sent.get("nonce", ""),
        challenge=sent.get("code_challenge", "") if provider.takes_pkce else "",
        challenge_method=sent.get("code_challenge_method", "") or "plain",
        prompt=sent.get("prompt", ""),
        login_hint=sent.get("login_hint", ""),
        wants_auth_time="max_age" in sent,
    )


def check_request(request: AuthorizationRequest) -> None:
    """Refuse what the provider cannot do; the app is told at its own address.

    :raises OAuthError: when it asks for that.
    """
    provider = request.provider
    # Facebook and GitHub need not be told.
    if request.response_type != "code" and (provider.is_openid or request.response_type):
        raise OAuthError("unsupported_response_type", "response_type has to be code.")
    if request.response_mode not in provider.response_modes:
        raise OAuthError("invalid_request", "This response_mode is not supported.")
    has_user = provider.name == "apple" and {"name", "email"} & set(request.scopes)
    if has_user and request.response_mode != "form_post":
        raise OAuthError(
            "invalid_request",
            "response_mode must be form_post when name or email scope is requested.",
        )
    if provider.name == "google" and not request.scopes:
        raise OAuthError("invalid_scope", "Missing required parameter: scope.")
    if request.challenge and not (
        request.challenge_method == "S256" and _CHALLENGE.fullmatch(request.challenge)
    ):
        raise OAuthError("invalid_request", "code_challenge_method has to be S256.")
    if "none" in request.prompt.split():
        raise OAuthError("interaction_required", "Somebody has to choose who they are.")


def allow(request: AuthorizationRequest, choice: Choice, is_first_time: bool) -> Answer:
    """Return the answer of somebody who allows it: a code.

    :param is_first_time: they have never allowed it before; Apple then sends their name.
    :raises ValidationFailed: when nobody was chosen.
    """
    person = people.choose(request.provider.name, choice)
    if request.provider.name == "facebook" and not person.is_verified:
        # It gives confirmed addresses alone.
        person = replace(person, email="")
    grant = Grant(
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        person=person,
        scopes=request.scopes,
        nonce=request.nonce,
        challenge=request.challenge,
        auth_time=int(clock.now().timestamp()) if request.wants_auth_time else 0,
    )
    parameters = {"code": seal("code", request.provider.name, grant, parts().settings)}
    if request.provider.name == "apple" and is_first_time and (user := _apple_user(grant)):
        parameters["user"] = user
    return _answer(request, parameters)


def cancel(request: AuthorizationRequest) -> Answer:
    """Return the answer of somebody who does not allow it."""
    return _answer(request, dict(request.provider.cancelled))


def refuse(request: AuthorizationRequest, error: OAuthError) -> Answer:
    """Return the answer to an app that asks for what the provider cannot do."""
    return _answer(request, {"error": error.code, "error_description": error.description})


def origin_of(redirect_uri: str) -> str:
    """Return the origin of an address that an app may be answered at."""
    scheme, host, *_ = urlsplit(redirect_uri)
    return f"{scheme}://{host}"


def _is_local_app(redirect_uri: str, base_url: str) -> bool:
    """Whether it is an app on one's own machine, and not this site on it at another address."""
    return bool(_LOOPBACK.fullmatch(redirect_uri)) and origin_of(redirect_uri) != base_url


def _answer(request: AuthorizationRequest, parameters: dict[str, str]) -> Answer:
    if request.state:
        parameters["state"] = request.state
    if request.provider.names_itself:
        parameters["iss"] = issuer_of(request.provider.name, parts().settings)
    return Answer(request.redirect_uri, parameters, request.response_mode == "form_post")


def _apple_user(grant: Grant) -> str:
    """Return what Apple sends beside the code: JSON of whatever the app asked for."""
    first, last = grant.person.first_and_last_name
    user: dict[str, object] = {}
    if "name" in grant.scopes:
        user["name"] = {"firstName": first, "lastName": last}
    if "email" in grant.scopes and grant.person.email:
        user["email"] = grant.person.email
    return json.dumps(user) if user else ""
