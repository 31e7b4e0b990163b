"""One's own account on a page, and the start page."""

from flask import Blueprint, Response

from webapp.doors.credentials import current_principal
from webapp.doors.pages.guards import is_signed_in, signed_in
from webapp.doors.pages.rendering import page, see_other
from webapp.features.profile import flow
from webapp.services.client import describe_user_agent

blueprint = Blueprint("profile", __name__)


@blueprint.get("/")
def home() -> Response:
    """Send whoever is signed in to their account, and tell others where they are."""
    if is_signed_in():
        return see_other("/account")
    return page("profile/home.html")


@blueprint.get("/account")
@signed_in
def account() -> Response:
    """Show the account and this sign-in."""
    account, session = flow.get_profile_and_session(current_principal().claims)
    return page(
        "profile/account.html",
        account=account,
        session=session,
        device=describe_user_agent(session.user_agent),
        notice=None,
    )
