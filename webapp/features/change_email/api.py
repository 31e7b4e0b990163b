"""Changing the address over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import StatusReply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import signed_in
from webapp.features.change_email import flow
from webapp.features.change_email.schemas import ChangeEmailIn

blueprint = api_room("change_email")


@blueprint.post("/auth/email/change")
@signed_in
@blueprint.input(ChangeEmailIn)
@blueprint.output(StatusReply, status_code=202, description="A link went to the new address.")
@blueprint.doc(summary="Change my address", security=SIGNED_IN)
def change_email(json_data: ChangeEmailIn) -> Response:
    """Ask for another address; it takes effect when it is proved."""
    flow.ask_for_change(
        flow.ChangeEmail(json_data.email, json_data.password),
        current_principal().claims,
        client_of_request(),
    )
    return reply(StatusReply(status="verification_required"), 202)
