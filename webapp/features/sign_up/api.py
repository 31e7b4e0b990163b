"""Signing up over JSON."""

from flask import Response

from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import StatusReply
from webapp.doors.api.tokens import token_reply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.sign_up_cookie import mark_browser
from webapp.features.sign_up import flow
from webapp.features.sign_up.schemas import SignUpIn
from webapp.services.sessions import SignedIn

blueprint = api_room("sign_up")


@blueprint.post("/auth/signup")
@blueprint.input(SignUpIn)
@blueprint.output(StatusReply, status_code=202, description="A mail is on its way.")
@blueprint.doc(
    summary="Sign up",
    responses={201: "Signed in at once, where EMAIL_VERIFICATION allows it: a token reply."},
)
@public
def sign_up(json_data: SignUpIn) -> Response:
    """Make an account. With verification required, the reply never tells whether it was new."""
    is_by_cookie = json_data.transport == "cookie"
    result = flow.sign_up(
        flow.SignUp(json_data.email, json_data.password, json_data.name or ""),
        client_of_request(),
        replaces=cookie_session_id() if is_by_cookie else None,
    )
    if isinstance(result, SignedIn):
        return token_reply(result, json_data.transport, status=201)
    response = reply(StatusReply(status="verification_required"), 202)
    if is_by_cookie:
        mark_browser(response, result.email, result.browser_secret)
    return response
