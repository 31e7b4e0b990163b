"""Proving an address on a page."""

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.pages.forms import posted_token
from webapp.doors.pages.paths import own, safe_next
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.doors.sign_up_cookie import browser_secret, browsers_mark
from webapp.features.verify_email import flow
from webapp.features.verify_email.forms import ResendForm

blueprint = Blueprint("verify_email", __name__)

SENT = "If an account waits for this address to be confirmed, a new link is on its way."


@blueprint.get("/verify-email")
@public
def show() -> Response:
    """Show what the link would do; without a token, say that a link is on its way."""
    token = request.args.get("token")
    if token is None:
        mark = browsers_mark()
        form = ResendForm(email=mark.email if mark else "")
        notice = SENT if request.args.get("notice") == "sent" else None
        email = mark.email if mark else None
        return form_page("verify_email/check_mail.html", form, email=email, notice=notice)
    claim = flow.look_at_link(token)
    template = "change_email/confirm.html" if claim.old_email else "verify_email/confirm.html"
    return page(
        template,
        email=claim.email,
        old_email=claim.old_email,
        name=claim.name,
        requested_at=claim.requested_at,
        token=token,
    )


@blueprint.post("/verify-email")
@public
def confirm() -> Response:
    """Do what the page said: confirm the address, or remove the account."""
    token = posted_token()
    if request.form.get("answer") == "remove":
        flow.disown(token, client_of_request())
        return page("verify_email/removed.html")
    mark = browsers_mark()
    confirmed = flow.confirm(
        token,
        client_of_request(),
        browser_secret=mark.browser_secret if mark else None,
        replaces=cookie_session_id(),
    )
    if confirmed.is_change:
        return see_other(own("/account/security?notice=email_changed"))
    if confirmed.signed_in is None:
        return see_other(own("/login?notice=email_verified"))
    response = see_other(safe_next(mark.target if mark else None))
    cookies.place(response, confirmed.signed_in)
    return response


@blueprint.post("/verify-email/resend")
@public
def resend() -> Response:
    """Mail a new link, if there is an account that waits for one."""
    form = ResendForm()
    address = form.email.data or ""
    form.submit(lambda: flow.resend(address, client_of_request(), browser_secret(address)))
    if form.refusal:
        return form_page("verify_email/check_mail.html", form, email=None, notice=None)
    return see_other(own("/verify-email?notice=sent"))
