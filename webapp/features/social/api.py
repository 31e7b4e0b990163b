"""Signing in over JSON with what a native app holds."""

from flask import Response

from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import TokenReply
from webapp.doors.api.tokens import token_reply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.features.social import flow
from webapp.features.social.schemas import NativeSignInIn

blueprint = api_room("social")


@blueprint.post("/auth/<provider_id>/login")
@blueprint.input(NativeSignInIn)
@blueprint.output(TokenReply)
@blueprint.doc(summary="Sign in with a provider's token")
@public
def sign_in(provider_id: str, json_data: NativeSignInIn) -> Response:
    """Begin a session for whoever a provider says that this is."""
    client = client_of_request()
    native = flow.Native(
        json_data.id_token, json_data.access_token, json_data.nonce, json_data.name or ""
    )
    identity = flow.identify_native(provider_id, native, client)
    replaces = cookie_session_id() if json_data.transport == "cookie" else None
    signed_in = flow.enter_native(identity, client, json_data.remember, replaces)
    return token_reply(signed_in, json_data.transport)
