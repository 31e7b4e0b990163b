"""Where one is signed in, over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import signed_in
from webapp.features.devices import flow
from webapp.features.devices.schemas import SessionList, SessionOut

blueprint = api_room("devices")


@blueprint.get("/auth/sessions")
@blueprint.output(SessionList)
@blueprint.doc(summary="Where I am signed in", security=SIGNED_IN)
@signed_in
def list_sessions() -> Response:
    """Return the living sessions of whoever is signed in, the last used first."""
    claims = current_principal().claims
    found = flow.list_sessions(claims)
    return reply(SessionList(data=[SessionOut.of(s, claims.session_id) for s in found]))


@blueprint.delete("/auth/sessions/<session_id>")
@blueprint.doc(summary="End one sign-in", security=SIGNED_IN, responses={204: "Ended."})
@signed_in
def end_session(session_id: str) -> Response:
    """End one of one's own sessions; anybody else's is not found."""
    flow.end_session(session_id, current_principal().claims, client_of_request())
    return Response(status=204)


@blueprint.delete("/auth/sessions")
@blueprint.doc(summary="Sign out everywhere else", security=SIGNED_IN, responses={204: "Ended."})
@signed_in
def end_other_sessions() -> Response:
    """End all of one's own sessions but the present one."""
    flow.end_other_sessions(current_principal().claims, client_of_request())
    return Response(status=204)
