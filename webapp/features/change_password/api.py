"""Changing the password over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.rooms import api_room
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import signed_in
from webapp.features.change_password import flow
from webapp.features.change_password.schemas import ChangePasswordIn

blueprint = api_room("change_password")


@blueprint.post("/auth/password/change")
@signed_in
@blueprint.input(ChangePasswordIn)
@blueprint.doc(
    summary="Change my password",
    security=SIGNED_IN,
    responses={204: "Changed, and the other sessions ended."},
)
def change_password(json_data: ChangePasswordIn) -> Response:
    """Change the password; needs a sign-in within the last ten minutes."""
    flow.change_password(
        json_data.current_password,
        json_data.new_password,
        current_principal().claims,
        client_of_request(),
    )
    return Response(status=204)
