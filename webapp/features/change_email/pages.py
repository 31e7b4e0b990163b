"""Changing the address on pages."""

from flask import Blueprint, Response, request

from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import public, requires_recent_sign_in
from webapp.doors.pages.forms import posted_token
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.features.change_email import flow
from webapp.features.change_email.forms import ChangeEmailForm
from webapp.services.access import account_of

blueprint = Blueprint("change_email", __name__)


@blueprint.get("/account/security/email")
@requires_recent_sign_in(minutes=10)
def show() -> Response:
    """Show the form."""
    return _page(ChangeEmailForm())


@blueprint.post("/account/security/email")
@requires_recent_sign_in(minutes=10)
def change_email() -> Response:
    """Take the form."""
    form = ChangeEmailForm()
    form.submit(
        lambda: flow.ask_for_change(
            flow.ChangeEmail(form.email.data or ""),
            current_principal().claims,
            client_of_request(),
        )
    )
    return (
        _page(form) if form.refusal else see_other(own("/account/security?notice=email_requested"))
    )


@blueprint.get("/undo-email-change")
@public
def show_undo() -> Response:
    """Show what the link would bring back; opening it uses nothing up."""
    token = request.args.get("token", "")
    return page("change_email/undo.html", email=flow.look_at_undo(token), token=token)


@blueprint.post("/undo-email-change")
@public
def undo() -> Response:
    """Bring the old address back and go on to a new password."""
    reset_token = flow.undo(posted_token(), client_of_request())
    return see_other(own(f"/reset-password?token={reset_token}"))


def _page(form: ChangeEmailForm) -> Response:
    claims = current_principal().claims
    account, pending = account_of(claims), flow.pending_address(claims)
    return form_page(
        "change_email/change.html", form, account=account, pending=pending, notice=None
    )
