"""One's own account on pages, and the start page."""

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.exports import export_file
from webapp.doors.guards import public, requires_recent_sign_in, signed_in
from webapp.doors.pages.guards import is_signed_in
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.features.profile import flow
from webapp.features.profile.events import sentence_of
from webapp.features.profile.export import export
from webapp.features.profile.forms import DeleteForm, NameForm
from webapp.services import policy
from webapp.services.access import account_of
from webapp.services.client import describe_user_agent

blueprint = Blueprint("profile", __name__)

NOTICES = {
    "renamed": "Your name is changed.",
    "password_changed": "Your password is changed, and your other sign-ins have ended.",
    "email_requested": "A link is on its way to the new address. Open it to change.",
    "email_changed": "Your address is changed.",
}


@blueprint.get("/")
@public
def home() -> Response:
    """Send whoever is signed in to their account, and tell others where they are."""
    if is_signed_in():
        return see_other(own("/account"))
    return page("profile/home.html")


@blueprint.get("/account")
@signed_in
def account() -> Response:
    """Show the account and this sign-in."""
    return _account_page(None)


@blueprint.post("/account")
@signed_in
def rename() -> Response:
    """Change the name."""
    form = NameForm()
    claims = current_principal().claims
    form.submit(lambda: flow.rename(claims, form.name.data or "", client_of_request()))
    return _account_page(form) if form.refusal else see_other(own("/account?notice=renamed"))


@blueprint.get("/account/security")
@signed_in
def security() -> Response:
    """Show password and address, and what happened lately."""
    claims = current_principal().claims
    person = account_of(claims)
    events = [
        {
            "sentence": sentence_of(event.event),
            "at": event.at,
            "label": describe_user_agent(event.user_agent),
            "ip": event.ip,
        }
        for event in flow.list_events(claims)
    ]
    return page(
        "profile/security.html",
        account=person,
        events=events,
        has_password=person.password_hash is not None,
        notice=_notice(),
    )


@blueprint.get("/account/export")
@signed_in
def export_account() -> Response:
    """Return all that is kept about whoever is signed in."""
    return export_file(export(current_principal().claims))


@blueprint.get("/account/delete")
@requires_recent_sign_in(minutes=10)
def ask_to_delete() -> Response:
    """Say what deleting does, and ask."""
    return _delete_page(DeleteForm())


@blueprint.post("/account/delete")
@requires_recent_sign_in(minutes=10)
def delete() -> Response:
    """Have the account erased, unless its owner comes back."""
    form = DeleteForm()
    claims = current_principal().claims
    erased_at = form.submit(lambda: flow.delete(claims, None, client_of_request()))
    if erased_at is None:
        return _delete_page(form)
    response = page("profile/deleted.html", erased_at=erased_at)
    cookies.clear(response)
    return response


def _account_page(form: NameForm | None) -> Response:
    person, session = flow.get_profile_and_session(current_principal().claims)
    return form_page(
        "profile/account.html",
        form or NameForm(name=person.name),
        account=person,
        session=session,
        device=describe_user_agent(session.user_agent),
        notice=_notice(),
    )


def _delete_page(form: DeleteForm) -> Response:
    person = account_of(current_principal().claims)
    days = policy.DELETED_KEPT_FOR.days
    return form_page("profile/delete.html", form, account=person, days=days)


def _notice() -> str | None:
    return NOTICES.get(request.args.get("notice", ""))
