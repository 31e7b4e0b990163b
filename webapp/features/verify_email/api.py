"""Proving an address over JSON."""

from flask import Response

from webapp.doors import cookies
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import StatusReply
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.sign_up_cookie import browser_secret
from webapp.features.verify_email import flow
from webapp.features.verify_email.schemas import ResendIn, VerifyIn

blueprint = api_room("verify_email")


@blueprint.post("/auth/email/verify")
@blueprint.input(VerifyIn)
@blueprint.doc(
    summary="Confirm an address",
    responses={204: "Confirmed; in the browser that signed up, signed in by cookies, too."},
)
@public
def verify(json_data: VerifyIn) -> Response:
    """Prove an address with the token of the link that was mailed to it."""
    confirmed = flow.confirm(
        json_data.token,
        client_of_request(),
        browser_secret=browser_secret(),
        replaces=cookie_session_id(),
    )
    response = Response(status=204)
    if confirmed.signed_in:
        cookies.place(response, confirmed.signed_in)
    return response


@blueprint.post("/auth/email/verify/resend")
@blueprint.input(ResendIn)
@blueprint.output(StatusReply, status_code=202, description="The same for every address.")
@blueprint.doc(summary="Ask for a new link")
@public
def resend(json_data: ResendIn) -> Response:
    """Mail a new link, if there is an account that waits for one."""
    flow.resend(json_data.email, client_of_request(), browser_secret(json_data.email))
    return reply(StatusReply(status="verification_required"), 202)
