"""Getting back in, over JSON."""

from flask import Response

from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import StatusReply
from webapp.doors.client import client_of_request
from webapp.doors.guards import public
from webapp.features.reset_password import flow
from webapp.features.reset_password.schemas import ForgotIn, ResetIn

blueprint = api_room("reset_password")


@blueprint.post("/auth/password/forgot")
@blueprint.input(ForgotIn)
@blueprint.output(StatusReply, status_code=202, description="The same for every address.")
@blueprint.doc(summary="Ask for a link to set a new password")
@public
def forgot(json_data: ForgotIn) -> Response:
    """Mail a link, if there is such an account."""
    flow.ask_for_link(json_data.email, client_of_request())
    return reply(StatusReply(status="link_sent_if_known"), 202)


@blueprint.post("/auth/password/reset")
@blueprint.input(ResetIn)
@blueprint.doc(
    summary="Set a new password with a link",
    responses={204: "Set, and every session ended."},
)
@public
def reset(json_data: ResetIn) -> Response:
    """Give the account a new password; one that is refused does not use the link up."""
    flow.reset(json_data.token, json_data.password, client_of_request())
    return Response(status=204)
