"""Signing up on a page."""

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.pages.guards import is_signed_in
from webapp.doors.pages.paths import own, safe_next, with_next
from webapp.doors.pages.rendering import form_page, see_other
from webapp.doors.sign_up_cookie import mark_browser
from webapp.features.sign_up import flow
from webapp.features.sign_up.forms import SignUpForm
from webapp.features.social.buttons import provider_buttons
from webapp.services.parts import parts
from webapp.services.sessions import SignedIn

blueprint = Blueprint("sign_up", __name__)


@blueprint.get("/signup")
@public
def show() -> Response:
    """Show the form."""
    if is_signed_in():
        return see_other(safe_next(request.args.get("next")))
    form = SignUpForm()
    form.next.data = safe_next(request.args.get("next"))
    return _page(form)


@blueprint.post("/signup")
@public
def sign_up() -> Response:
    """Take the form."""
    form = SignUpForm()
    result = form.submit(
        lambda: flow.sign_up(
            flow.SignUp(form.email.data or "", form.password.data or "", form.name.data or ""),
            client_of_request(),
            replaces=cookie_session_id(),
        )
    )
    if result is None:
        return _page(form)
    target = safe_next(form.next.data)
    if isinstance(result, SignedIn):
        response = see_other(target)
        cookies.place(response, result)
        return response
    response = see_other(own("/verify-email"))
    mark_browser(response, result.email, result.browser_secret, target)
    return response


def _page(form: SignUpForm) -> Response:
    form.password.description = f"At least {parts().settings.password_min_length} characters"
    target = safe_next(form.next.data)
    return form_page(
        "sign_up/sign_up.html",
        form,
        login_url=with_next("/login", target),
        providers=provider_buttons(target),
    )
