"""Refreshing over JSON."""

from flask import Response

from webapp.doors import cookies, csrf
from webapp.doors.api.refresh_tokens import refresh_token_in_body
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import TokenReply
from webapp.doors.api.tokens import token_reply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import bearer_token
from webapp.doors.guards import public
from webapp.errors import NotSignedIn
from webapp.features.refresh import flow

blueprint = api_room("refresh")


@blueprint.post("/auth/refresh")
@blueprint.output(TokenReply)
@blueprint.doc(
    summary="Refresh",
    description="Takes the refresh token as a bearer header, in the body, or as the cookie with "
    "X-XSRF-TOKEN, and answers in the way it came. A refusal never touches a cookie.",
)
@public
def refresh() -> Response:
    """Exchange a refresh token for a new pair of tokens."""
    encoded = bearer_token() or refresh_token_in_body()
    if encoded is not None:
        return token_reply(flow.refresh(encoded, client_of_request()), "bearer")
    encoded = cookies.refresh_cookie()
    if not encoded:
        raise NotSignedIn
    csrf.check_session(flow.session_of(encoded))
    return token_reply(flow.refresh(encoded, client_of_request()), "cookie")
