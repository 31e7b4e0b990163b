"""Changing the password on a page."""

from flask import Blueprint, Response

from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import requires_recent_sign_in
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, see_other
from webapp.features.change_password import flow
from webapp.features.change_password.forms import ChangePasswordForm
from webapp.services.access import account_of

blueprint = Blueprint("change_password", __name__)


@blueprint.get("/account/security/password")
@requires_recent_sign_in(minutes=10)
def show() -> Response:
    """Show the form."""
    return _page(ChangePasswordForm())


@blueprint.post("/account/security/password")
@requires_recent_sign_in(minutes=10)
def change_password() -> Response:
    """Take the form."""
    form = ChangePasswordForm()
    form.submit(
        lambda: flow.change_password(
            form.current_password.data or "",
            form.new_password.data or "",
            current_principal().claims,
            client_of_request(),
        )
    )
    return (
        _page(form) if form.refusal else see_other(own("/account/security?notice=password_changed"))
    )


def _page(form: ChangePasswordForm) -> Response:
    account = account_of(current_principal().claims)
    return form_page(
        "change_password/change.html", form, account=account, email=account.email, notice=None
    )
