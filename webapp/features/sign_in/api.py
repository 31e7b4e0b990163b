"""Signing in over JSON."""

from flask import Response

from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import TokenReply
from webapp.doors.api.tokens import token_reply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.features.sign_in import flow
from webapp.features.sign_in.schemas import SignInIn

blueprint = api_room("sign_in")


@blueprint.post("/auth/login")
@blueprint.input(SignInIn)
@blueprint.output(TokenReply)
@blueprint.doc(summary="Sign in")
@public
def sign_in(json_data: SignInIn) -> Response:
    """Begin a session with an address and a password."""
    signed_in = flow.sign_in(
        flow.SignIn(json_data.email, json_data.password, json_data.remember),
        client_of_request(),
        replaces=cookie_session_id() if json_data.transport == "cookie" else None,
    )
    return token_reply(signed_in, json_data.transport)
