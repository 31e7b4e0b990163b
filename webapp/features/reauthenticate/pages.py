"""Showing the password again on a page, and going on where one was."""

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.csrf import FIELD
from webapp.doors.guards import signed_in
from webapp.doors.pages.guards import REAUTHENTICATE_PATH, reauthenticate_path
from webapp.doors.pages.paths import safe_next
from webapp.doors.pages.rendering import form_page, see_other, send_to
from webapp.features.connections import flow as connections
from webapp.features.reauthenticate import flow
from webapp.features.reauthenticate.forms import ReauthenticateForm
from webapp.features.social.buttons import provider_buttons
from webapp.services.access import account_of

blueprint = Blueprint("reauthenticate", __name__)


@blueprint.get(REAUTHENTICATE_PATH)
@signed_in
def show() -> Response:
    """Ask for the password."""
    return _page(ReauthenticateForm())


@blueprint.post(REAUTHENTICATE_PATH)
@signed_in
def reauthenticate() -> Response:
    """Take the password and go on; a form that brought somebody here goes on with them.

    Such a form comes by 307 and waits in hidden fields, all but its passwords, until the password
    is right; by 307 it goes back to where it was sent.
    """
    form = ReauthenticateForm()
    if "present_password" not in request.form:
        return _page(form)
    result = form.submit(
        lambda: flow.reauthenticate(
            form.present_password.data or "",
            current_principal().claims,
            client_of_request(),
            field="present_password",
        )
    )
    if result is None:
        return _page(form)
    target = safe_next(request.args.get("next"))
    response = send_to(target, 307) if request.args.get("again") else see_other(target)
    cookies.place_access(response, result)
    return response


def _page(form: ReauthenticateForm) -> Response:
    claims = current_principal().claims
    account = account_of(claims)
    target = safe_next(request.args.get("next"))
    linked = {identity.provider for identity in connections.list_identities(claims)}
    buttons = provider_buttons(target, "reauthenticate")
    return form_page(
        "reauthenticate/reauthenticate.html",
        form,
        account=account,
        email=account.email,
        has_password=account.password_hash is not None,
        providers=[button for button in buttons if button.id in linked],
        kept=_kept(),
        action=reauthenticate_path(target, is_form=bool(request.args.get("again"))),
    )


def _kept() -> list[tuple[str, str]]:
    """Return what the form that brought somebody here holds, but for passwords and the token."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != FIELD and "password" not in name
    ]
