"""Where one is signed in, on pages."""

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, request

from webapp.doors import cookies
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import public, signed_in
from webapp.doors.pages.forms import posted_token
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import page, see_other
from webapp.errors import NotFound
from webapp.features.devices import flow
from webapp.services.access import account_of
from webapp.services.client import describe_user_agent
from webapp.services.records import Session

blueprint = Blueprint("devices", __name__)

NOTICES = {
    "ended": "That sign-in has ended.",
    "others_ended": "You are signed out everywhere else.",
}


@blueprint.get("/account/devices")
@signed_in
def show() -> Response:
    """List the sign-ins."""
    claims = current_principal().claims
    return page(
        "devices/devices.html",
        account=account_of(claims),
        sessions=[_shown(session, claims.session_id) for session in flow.list_sessions(claims)],
        notice=NOTICES.get(request.args.get("notice", "")),
    )


@blueprint.post("/account/devices/<session_id>/end")
@signed_in
def end_session(session_id: str) -> Response:
    """End one; the present one signs this browser out."""
    claims = current_principal().claims
    with suppress(NotFound):  # It has ended already, which is what was asked for.
        flow.end_session(session_id, claims, client_of_request())
    if session_id != claims.session_id:
        return see_other(own("/account/devices?notice=ended"))
    response = see_other(own("/login?notice=signed_out"))
    cookies.clear(response)
    return response


@blueprint.post("/account/devices/end-others")
@signed_in
def end_other_sessions() -> Response:
    """End all but the present one."""
    flow.end_other_sessions(current_principal().claims, client_of_request())
    return see_other(own("/account/devices?notice=others_ended"))


@blueprint.get("/not-me")
@public
def show_not_me() -> Response:
    """Show what the link would end; opening it uses nothing up."""
    token = request.args.get("token", "")
    session = flow.look_at_not_me(token)
    return page("devices/not_me.html", token=token, **_shown(session, ""))


@blueprint.post("/not-me")
@public
def not_me() -> Response:
    """End that sign-in and go on to a new password."""
    reset_token = flow.disown(posted_token(), client_of_request())
    return see_other(own(f"/reset-password?token={reset_token}"))


def _shown(session: Session, current_id: str) -> dict[str, Any]:
    return {
        "id": session.id,
        "label": describe_user_agent(session.user_agent),
        "ip": session.ip,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
        "is_current": session.id == current_id,
    }
