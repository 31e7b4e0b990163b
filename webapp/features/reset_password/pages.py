"""Getting back in, on pages."""

from flask import Blueprint, Response, request

from webapp.doors.client import client_of_request
from webapp.doors.guards import public
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, see_other
from webapp.features.reset_password import flow
from webapp.features.reset_password.forms import ForgotForm, ResetForm

blueprint = Blueprint("reset_password", __name__)

SENT = "If this address has an account, a link is on its way. It works for 30 minutes."


@blueprint.get("/forgot-password")
@public
def ask() -> Response:
    """Ask for the address."""
    notice = SENT if request.args.get("notice") == "sent" else None
    return form_page("reset_password/forgot.html", ForgotForm(), notice=notice)


@blueprint.post("/forgot-password")
@public
def send_link() -> Response:
    """Mail a link, if there is such an account."""
    form = ForgotForm()
    form.submit(lambda: flow.ask_for_link(form.email.data or "", client_of_request()))
    if form.refusal:
        return form_page("reset_password/forgot.html", form, notice=None)
    return see_other(own("/forgot-password?notice=sent"))


@blueprint.get("/reset-password")
@public
def show() -> Response:
    """Show what the link is for; opening it uses nothing up."""
    token = request.args.get("token", "")
    form = ResetForm(token=token)
    return form_page("reset_password/reset.html", form, email=flow.look_at_link(token))


@blueprint.post("/reset-password")
@public
def reset() -> Response:
    """Set the new password; a refused one leaves the link good."""
    form = ResetForm()
    token = form.token.data or ""
    email = flow.look_at_link(token)
    form.submit(lambda: flow.reset(token, form.password.data or "", client_of_request()))
    if form.refusal:
        return form_page("reset_password/reset.html", form, email=email)
    return see_other(own("/login?notice=password_reset"))
