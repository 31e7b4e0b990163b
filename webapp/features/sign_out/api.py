"""Signing out over JSON."""

from flask import Response

from webapp.doors import cookies, csrf
from webapp.doors.api.refresh_tokens import refresh_token_in_body
from webapp.doors.api.rooms import api_room
from webapp.doors.client import client_of_request
from webapp.doors.credentials import bearer_token, cookie_session_id
from webapp.doors.guards import public
from webapp.features.sign_out import flow

blueprint = api_room("sign_out")


@blueprint.post("/auth/logout")
@blueprint.doc(summary="Sign out", responses={204: "Signed out, or nobody was signed in."})
@public
def sign_out() -> Response:
    """End the session of the token that comes along, expired or not, and clear the cookies."""
    token = bearer_token() or refresh_token_in_body()
    if token is not None:
        session_id = flow.session_of(token)
    else:
        session_id = cookie_session_id()
        if session_id:
            csrf.check_session(session_id)
    if session_id:
        flow.sign_out(session_id, client_of_request())
    response = Response(status=204)
    if token is None:
        cookies.clear(response)
    return response
