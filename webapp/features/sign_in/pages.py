"""Signing in on a page."""

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.pages.guards import is_signed_in
from webapp.doors.pages.paths import own, safe_next, with_next
from webapp.doors.pages.rendering import form_page, see_other
from webapp.features.sign_in import flow
from webapp.features.sign_in.forms import SignInForm
from webapp.features.social.buttons import provider_buttons

blueprint = Blueprint("sign_in", __name__)

NOTICES = {
    "email_verified": "Your email address is confirmed. Sign in to go on.",
    "password_reset": "Your new password is set, and every earlier sign-in has ended.",
    "signed_out": "You are signed out.",
}


@blueprint.get("/login")
@public
def show() -> Response:
    """Show the form."""
    if is_signed_in():
        return see_other(safe_next(request.args.get("next")))
    form = SignInForm()
    form.next.data = safe_next(request.args.get("next"))
    return _page(form, notice=NOTICES.get(request.args.get("notice", "")))


@blueprint.post("/login")
@public
def sign_in() -> Response:
    """Take the form."""
    form = SignInForm()
    signed_in = form.submit(
        lambda: flow.sign_in(
            flow.SignIn(form.email.data or "", form.password.data or "", form.remember.data),
            client_of_request(),
            replaces=cookie_session_id(),
        )
    )
    if signed_in is None:
        return _page(form)
    response = see_other(safe_next(form.next.data))
    cookies.place(response, signed_in)
    return response


def _page(form: SignInForm, notice: str | None = None) -> Response:
    is_unproved = form.refusal is not None and form.refusal.code == "email_not_verified"
    return form_page(
        "sign_in/sign_in.html",
        form,
        notice=notice,
        signup_url=with_next("/signup", safe_next(form.next.data)),
        resend_email=form.email.data if is_unproved else None,
        providers=provider_buttons(safe_next(form.next.data)),
        forgot_url=own("/forgot-password"),
    )
