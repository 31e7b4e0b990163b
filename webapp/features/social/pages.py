"""To a provider and back, and what somebody has to prove before they are signed in."""

import json
from urllib.parse import urlencode

from flask import Blueprint, Response, g, request

from webapp.doors import cookies, csrf
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id, current_principal, require_principal
from webapp.doors.guards import public
from webapp.doors.pages.forms import posted_token
from webapp.doors.pages.paths import own, safe_next, this_path, with_next
from webapp.doors.pages.rendering import form_page, page, see_other, send_to
from webapp.doors.statuses import refusal_of
from webapp.errors import AuthError, InvalidCredentials, NotFound, ProviderError, TokenExpired
from webapp.features.social import address, browser, flow
from webapp.features.social.browser import Attempt, Waiting
from webapp.features.social.buttons import start_url
from webapp.features.social.exchange import Reply
from webapp.features.social.forms import AddressForm
from webapp.features.social.identity import Identity
from webapp.features.social.linking import Decision
from webapp.services.parts import parts
from webapp.services.secrets import new_secret
from webapp.services.sessions import SignedIn

blueprint = Blueprint("social", __name__)

LINK_PATH = "/account/connections/link"
ADDRESS_PATH = "/auth/address"
SHUT = "You cannot sign in to this account. Ask whoever runs this site."
OTHER = "This is another person's account there, not the one that is connected here. Start again."
_LONGEST_USER = 1000
_INTENTS: dict[str, browser.Intent] = {"connect": "connect", "reauthenticate": "reauthenticate"}


@blueprint.get("/auth/<provider_id>/start")
@public
def start(provider_id: str) -> Response:
    """Send somebody to a provider."""
    attempt = Attempt(
        provider_id,
        new_secret(),
        _INTENTS.get(request.args.get("intent", ""), "sign_in"),
        safe_next(request.args.get("next")),
    )
    try:
        url = flow.begin(provider_id, attempt.state, attempt.intent == "reauthenticate")
    except ProviderError as error:
        return _failed(provider_id, error, attempt)
    response = send_to(url, 303)
    browser.place_attempt(response, attempt)
    return response


@blueprint.get("/auth/<provider_id>/callback")
@public
def finish(provider_id: str) -> Response:
    """Take the provider's reply."""
    reply = _reply()
    flow.get_provider(provider_id)
    if again := _come_again():
        return again
    attempt = None
    try:
        attempt = browser.find_attempt(provider_id, reply.state)
        if attempt.intent == "reauthenticate":
            require_principal()
        identity = flow.identify(provider_id, attempt.state, reply, client_of_request())
        response = _go_on(identity, attempt)
    except TokenExpired:
        raise
    except AuthError as error:
        response = _failed(provider_id, error, attempt)
    browser.forget_attempt(response, reply.state)
    return response


@blueprint.post("/auth/<provider_id>/callback")
@csrf.from_anywhere
@public
def finish_posted(provider_id: str) -> Response:
    """Turn a form that a provider posts across sites into a GET, which brings our cookies along.

    They are SameSite=Lax and stay so: a post from another site comes without any of them.
    """
    flow.get_provider(provider_id)
    names = ("state", "code", "error", "error_description", "iss", "user")
    given = {name: request.form[name] for name in names if request.form.get(name)}
    # Longer than any name; an address with it would be more than servers take.
    if len(given.get("user", "")) > _LONGEST_USER:
        del given["user"]
    return see_other(own(f"/auth/{provider_id}/callback?{urlencode(given)}"))


@blueprint.get(ADDRESS_PATH)
@public
def ask_address() -> Response:
    """Ask for an address to prove."""
    waiting = browser.require_waiting()
    return _address_page(AddressForm(email=waiting.identity.email or ""), waiting)


@blueprint.post(ADDRESS_PATH)
@public
def send_link() -> Response:
    """Mail a link to it."""
    waiting = browser.require_waiting()
    form = AddressForm()
    typed = form.email.data or ""
    form.submit(
        lambda: address.ask_for_proof(
            waiting.identity, typed, waiting.browser_secret, client_of_request()
        )
    )
    if form.refusal:
        return _address_page(form, waiting)
    return page("social/check_mail.html", email=typed, label=_label(waiting.identity.provider))


@blueprint.get(f"{ADDRESS_PATH}/confirm")
@public
def show_link() -> Response:
    """Show what the link would do; opening it uses nothing up."""
    token = request.args.get("token", "")
    return page("social/confirm.html", proof=address.look_at_link(token, _mark()), token=token)


@blueprint.post(f"{ADDRESS_PATH}/confirm")
@public
def prove() -> Response:
    """Sign in whoever came from the provider, the address being proved."""
    token = posted_token()
    waiting = browser.find_waiting()
    result = address.prove(token, _mark(), client_of_request(), replaces=cookie_session_id())
    if not isinstance(result, SignedIn):
        # Somebody made an account with this address between the mail and now.
        return see_other(with_next("/login", own(LINK_PATH)))
    return _signed_in(result, waiting.next if waiting else own("/account"))


def _go_on(identity: Identity, attempt: Attempt) -> Response:
    client = client_of_request()
    if attempt.intent == "reauthenticate":
        result = flow.reauthenticate(identity, current_principal().claims, client)
        response = see_other(attempt.next)
        cookies.place_access(response, result)
        return response
    waiting = Waiting(identity, new_secret(), attempt.next)
    if attempt.intent == "connect":
        return _wait(waiting, see_other(own(LINK_PATH)))
    entered = flow.enter(identity, client, replaces=cookie_session_id())
    if isinstance(entered, SignedIn):
        return _signed_in(entered, attempt.next)
    if entered is Decision.PROVE_ADDRESS:
        return _wait(waiting, see_other(own(ADDRESS_PATH)))
    return _wait(waiting, _prove_account_page(waiting))


def _wait(waiting: Waiting, response: Response) -> Response:
    browser.place_waiting(response, waiting)
    return response


def _signed_in(signed_in: SignedIn, target: str) -> Response:
    response = see_other(safe_next(target))
    cookies.place(response, signed_in)
    if browser.find_waiting():
        browser.forget_waiting(response)
    return response


def _prove_account_page(waiting: Waiting) -> Response:
    return page(
        "social/link.html",
        email=waiting.identity.email,
        label=_label(waiting.identity.provider),
        login_url=with_next("/login", own(LINK_PATH)),
    )


def _address_page(form: AddressForm, waiting: Waiting) -> Response:
    is_told = waiting.identity.email is not None
    label = _label(waiting.identity.provider)
    return form_page("social/address.html", form, label=label, is_address_told=is_told)


def _failed(provider_id: str, error: AuthError, attempt: Attempt | None) -> Response:
    """Say what happened and what to do next."""
    refusal = refusal_of(error)
    target = attempt.next if attempt else own("/account")
    intent = attempt.intent if attempt else "sign_in"
    sentence = refusal.detail
    if isinstance(error, InvalidCredentials):
        sentence = SHUT
    elif isinstance(error, NotFound):
        sentence = OTHER
    response = page(
        "social/failed.html",
        refusal.status,
        label=_label(provider_id),
        sentence=sentence,
        again_url=start_url(provider_id, target, intent),
        login_url=with_next("/login", target) if intent == "sign_in" else target,
        request_id=g.get("request_id", ""),
    )
    response.headers.extend(refusal.headers)
    return response


def _come_again() -> Response | None:
    """Have a browser ask again from our own site where its cookies stay at home until then.

    With COOKIE_SAMESITE=Strict whoever comes from a provider seems to be signed out.
    """
    is_kept_back = parts().settings.cookie_samesite == "Strict" and "again" not in request.args
    if not is_kept_back:
        return None
    return page("social/come_again.html", url=f"{this_path()}&again=1")


def _reply() -> Reply:
    args = request.args
    return Reply(
        state=args.get("state", ""),
        code=args.get("code", ""),
        error=args.get("error", ""),
        error_description=args.get("error_description", ""),
        issuer=args.get("iss"),
        name=_apple_name(args.get("user", "")),
    )


def _apple_name(text: str) -> str:
    """Return the name in what Apple sends beside the code, the first time only."""
    try:
        name = json.loads(text)["name"]
        return " ".join(filter(None, (name.get("firstName"), name.get("lastName"))))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _mark() -> str | None:
    waiting = browser.find_waiting()
    return waiting.browser_secret if waiting else None


def _label(provider_id: str) -> str:
    return flow.get_provider(provider_id).label
