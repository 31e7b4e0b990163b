"""Showing the password again, over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import TokenReply
from webapp.doors.api.tokens import access_token_reply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import signed_in
from webapp.features.reauthenticate import flow
from webapp.features.reauthenticate.schemas import ReauthenticateIn

blueprint = api_room("reauthenticate")


@blueprint.post("/auth/reauthenticate")
@signed_in
@blueprint.input(ReauthenticateIn)
@blueprint.output(TokenReply)
@blueprint.doc(summary="Show my password again", security=SIGNED_IN)
def reauthenticate(json_data: ReauthenticateIn) -> Response:
    """Get an access token with a fresh auth_time; no new refresh token, the session stays."""
    principal = current_principal()
    result = flow.reauthenticate(json_data.password, principal.claims, client_of_request())
    return access_token_reply(result, "cookie" if principal.is_by_cookie else "bearer")
